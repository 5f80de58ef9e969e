"""The pages: what waits for people, one change with its diff, verdicts, and the picture of it all, in a browser.

installing.py  what an application needs to have them; browsing.py, command.py: the pages alone, on one machine
queueing.py    /queue; changes.py: one change, and verdicts; opinion.py, diff.py: what is shown of it
desk.py        what routes share: the store, who may see what, and the filters in addresses
reading/       diffs and the past of files, read in children
rendering.py   the templates' environment, and `page`, by which every route answers
assets.py      style sheets and scripts, under /static
access/        who may come in, and what they may see and do
templates/     Jinja2; every text is escaped, also where a template forgets to say so
static/        style.css, keys.js and htmx, unchanged, in vendor/
"""
