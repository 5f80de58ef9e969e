"""The GitHub Action: a step of a workflow becomes a review, and its end an exit code.

    start.sh ──> install.py ──> __main__.py ──> run.py        which Python, with which packages, running what
                                                  │
    runner.py   what the runner tells: event, repository, where outputs go
    inputs.py   what the workflow asks for, or every mistake in it
    people.py   what people said of changes, recorded and minded
    wanted.py   an event -> which change is to be reviewed; no I/O
    source.py   that change: from the checkout, else from clone.py, else from through_api.py, with what was not seen
    bounded.py  a process that is watched while it runs: how long git may take, and how much it may write
    models.py   the model that the workflow names: shipped, at the base revision, or a file by its sha256
    outputs.py  outputs, step summary, annotations, files
    reference.py  `docs/ACTION.md` from `action.yml`

Nothing of the workspace is imported, run, or believed: it may be that of an author who wants to pass unseen.
"""
