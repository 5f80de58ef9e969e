"""The queue: deliveries become jobs, and jobs are done, each as often as it takes and to one effect.

delivery ── handlers.tasks ──> Book (tables) ── a turn ──> Engine (dbos) ── Worker ──> handlers.perform
                                 ▲                                            │
                                 └── done, again later, or dead ──────────────┘

model.py      tasks and jobs, as values
book.py       which jobs there are, and what became of them: the truth; tables.py, migrations/
engine.py     dbos: which turn is whose, one at a time of a repository, also after a crash
worker.py     a turn: begin, do, close or put off
retries.py    when to try again, and when to give up
watchdog.py   signs of life; the jobs of a worker that died go to others
jobs.py       all of it together, with the thread that looks after it
"""
