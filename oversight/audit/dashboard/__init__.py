"""The picture of it all: what people's verdicts, canaries and measurements tell of the reviews, on one page.

    period.py      a period out of the store; `oversight audit report` reads the same
    gathering.py   `gather(store, ...)`: everything that the page shows, as frozen values (`model.py`)
    tables.py      the rows behind every figure
    rows.py        what a table of rows is made of
    planted.py     the rows behind figures of canaries
    svg.py         geometry of the charts: scales, ticks, marks
    view.py        the values as words, numbers and links, section by section
    html.py        a fragment for the server's page, the rows of one table, or a file that needs nothing else

Templates are Jinja2's and are loaded when a page is written. Both pages have one style sheet, `style.css`.
"""

from oversight.audit.dashboard.gathering import gather
from oversight.audit.dashboard.model import Dashboard

__all__ = ["Dashboard", "gather"]
