"""Looking at a change and saying what it is, in a terminal; the pages of the server share the values.

    dossier.py     all that is known of a change: its diff, what was said of it, and how its files fared before
    files.py       where the diff and the past of files come from
    placing.py     what is said of a change, at its files and hunks
    authors.py     whether somebody wrote a change
    session.py     the changes that wait, which one is looked at, whether in blind mode, and verdicts. No I/O of its own
    page.py        a dossier as rows of escaped text, with or without what the model thinks
    terminal.py    a page on a screen, and keys

The diff is read through a quarantined repository, and nothing of it is run. All text of others is escaped in `page.py`.
"""
