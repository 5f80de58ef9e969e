"""The review budget: which changes people are asked to judge, and what their verdicts tell of all changes. No I/O.

    spending.py    "20 per week" or "5%" as places for the riskiest and a chance for the others
    plan.py        the riskiest, and a draw from the rest with a known probability
    entry.py       one entry of the queue, and why it is there
    outcome.py     what was caught and what was missed over a period, from verdicts

The queue itself is kept by `oversight.audit.store.queue`.
"""
