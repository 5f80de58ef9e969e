"""What was reviewed, what it said, and what people answered, in one database (extra `audit`).

    Store.open(url)     a database, migrated: SQLite's with the user's data by default, or a PostgreSQL server's

    engine.py      the URL, the connections, transactions that read or write
    tables.py      the tables; migrations/ make them, migrate.py runs migrations, also those of others
    chain.py       how entries of the ledger hang together; ledger.py: the ledger in its tables
    names.py       which repository an entry was said in; judged.py: on which changes people agree
    reports.py     a JSON report as rows; queue.py: who is asked about what; listing.py: that, a page at a time

Importing this package loads SQLAlchemy: who only reviews does not.
"""

from oversight.audit.store.chain import Broken, Head
from oversight.audit.store.engine import reading, writing
from oversight.audit.store.migrate import migrate
from oversight.audit.store.store import Store

__all__ = ["Broken", "Head", "Store", "migrate", "reading", "writing"]
