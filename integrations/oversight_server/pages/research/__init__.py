"""`/research`: what studies of `oversight research` have come to, for the people whom the operator lets see it.

    studies.py   which folders there are, and who may see them
    shelf.py     leaderboards that were read a moment ago
    view.py      records and leaderboard as words, numbers and places in a picture
    routes.py    the pages

Pages read what `oversight research report` reads, and as it does: records as they stand, and the leaderboard out of a
vault that was opened for people, which takes no lock, beside a run or without one. Nothing is written, and nothing of
it reaches a researcher: the sandbox has no network, and agents have no login.
"""
