"""The pages: what waits for people, one change with its diff, verdicts, and the picture of it all, in a browser.

rendering.py   the templates' environment, and `page`, by which every route answers
assets.py      style sheets and scripts, under /static
access/        who may come in, and what they may see and do
templates/     Jinja2; every text is escaped, also where a template forgets to say so
static/        style.css, keys.js and htmx, unchanged, in vendor/
"""
