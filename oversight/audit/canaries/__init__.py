"""Canaries: seeded defects with known answers, made from a repository's own past, and how many of them reviews catch.

    history ── past.py ──> ordinary changes, repairs ── making.py ──> pairs: a canary and its control, of one size
    pairs ── judging.py ──> what the usual review says of each ── figures.py ──> recall by class and language
                                                          giveaways.py ──> could they be told without reading them?

`classes/` has one file a class of defect, `dialects.py` one entry a language. Nothing is written into the repository
under review, and nothing of a canary is ever run, merged or learned from: its id says what it is
(`oversight.history.pool.CANARY`), and who learns refuses it.
"""
