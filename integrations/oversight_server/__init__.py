"""The webhook server: a GitHub App that loses nothing.

    command.py, serving.py     `oversight serve`: settings and logs; listening.py: a socket, uvicorn, signals
    settings.py                what the operator says, in variables `OVERSIGHT_…`; missettings.py: what is wrong with it
    app.py                     what the application is made of, and what starts and stops with it
    errors.py                  one JSON shape for everything that is refused
    webhooks.py                from bytes that anybody may have sent to a delivery that is on disk
    signature.py, body.py      who sent them; how many are read, and how many at once
    inbox.py, dispatcher.py    deliveries: kept, known again, moved on to the queue once each
    queue/, handlers/          deliveries become jobs, each done to one effect; what an event asks for, and doing it
    renaming.py                what is kept of a repository follows it to another name
    dead_letters.py            the jobs that were given up, and another try
    assembly.py, services.py   the parts that do the work, put together; what jobs ask of them
    github_app.py              the App's key becomes tokens for one repository each
    clones.py                  what is kept of code, within a size
    reviewing.py, children/    reviews, each in a process of its own
    api.py                     POST /api/review: reviews for other tools
    database.py, tables.py     the server's own tables, beside the audit's store; `migrations/` makes them
    pages/, origins.py         the pages, and who may come in to them; where they are
    health.py, metrics.py      how it is, for people and for Prometheus
    logs.py                    JSON lines without secrets and code

Needs the extra `server`.
"""
