"""From a repository to learned and measured things: what `train` shares with every later measurement.

history ──> Pool (who counts, labels, times, measures) ──> windows forward in time, human labels drawn
patches ──> Material (examples, fired principles; cached) ──> weak labels ──> method ──> student ──> figures
"""
