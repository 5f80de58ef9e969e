"""Diffs and the past of files, read where they can do no harm.

library.py   asks for them, and remembers the last ones; says why where there are none
sources.py   where repositories are: on this machine, or clones of GitHub's
child.py     what runs in a child: a change, its files' past, and colours; no secrets, no network, bounded
colours.py   which parts of lines are keywords, names, texts and so on
"""
