"""GitHub: its payloads and answers as values, reports as checks and comments, and the Action around both.

    events.py      webhook and workflow payloads -> values, no I/O; payload.py reads them part by part
    commands.py    `/oversight …` in a comment -> a command, no I/O
    client.py      REST and GraphQL for one repository: waits, pages, redirections; its errors are in errors.py,
                   how fast it asks in pace.py, what addresses it takes in addresses.py
    connections.py  lists that GraphQL alone gives, a page at a time
    markers.py     which comments are ours, and what they are about
    shown.py       what a review showed of which head, in marks that verdicts are tied to
    archives.py    zip files from outside, whose every damage is one error
    anchors.py     where in a diff GitHub takes a comment
    publish/       a report as check run, comments and labels
    verdicts/      what people answer, gathered, kept and summed up
    code/          the code of a change: from a clone of our own, else through the API
    action/        the GitHub Action

All but `action/` is for the webhook server as well. Needs the extra `github`.
"""
