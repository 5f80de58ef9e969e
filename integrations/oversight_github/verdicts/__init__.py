"""Verdicts without a server: what people say of changes on GitHub, gathered, kept, minded and measured with.

    handle(event, client) -> Outcome           what an event says goes on record; a scheduled one measures as well
    heard(client, number, head) -> Heard       what a review of that head has to mind

    handle.py      both of them: the events that carry verdicts, and what the Action does on them
    said.py        comments and label events as something that a person said
    gather.py      who may say it, and whether it is on record already
    pulls.py       what had been shown of which head when they said it (`oversight_github.shown`)
    places.py      where it is kept: a ref of the repository, or a file that becomes an artifact
    dismissals.py  what people do not want to hear of again; minding.py: what that does to a report
    landings.py    as which commits judged heads came into the history
    sampling.py    the random slice of what is not flagged; asking.py: what of it is still to be judged
    recovery.py    PGR with verdicts as labels
    summary.py     what a scheduled run tells

The values and their file format are in `oversight.audit`, as are the figures.
"""

from oversight_github.verdicts.handle import Heard, Outcome, carries_verdicts, handle, heard

__all__ = ["Heard", "Outcome", "carries_verdicts", "handle", "heard"]
