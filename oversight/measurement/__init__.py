"""Numbers about numbers: ranking metrics, effort, calibration, intervals, recovered gaps, honest splits.

Needs numpy alone and knows nothing of changes or models: labels, scores, sizes and times come in as arrays of
one row a change. What cannot be computed is a `Measured` without a value and with a reason, never a zero;
arguments that contradict each other are a `LabelError`.
"""
