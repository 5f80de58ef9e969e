"""The GitHub Action: a step of a workflow becomes a review, and its end an exit code.

    start.sh ──> install.py ──> __main__.py ──> run.py        which Python, with which packages, running what
                                                  │
    runner.py   what the runner tells: event, repository, where outputs go
    inputs.py   what the workflow asks for, or every mistake in it
    people.py   what people said of changes, recorded and minded
    wanted.py   an event -> which change is to be reviewed; no I/O
    source.py   that change: from the checkout, else from a clone of our own, else through the API (`code/`)
    models.py   the model that the workflow names: shipped, at the base revision, or a file by its sha256
    outputs.py  outputs, step summary, annotations, files
    reference.py  `docs/ACTION.md` from `action.yml`

Nothing of the workspace is imported, run, or believed: it may be that of an author who wants to pass unseen.
"""
