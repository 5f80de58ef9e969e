"""The code of a change on GitHub, without ever checking it out: what the Action and the webhook server share.

wanted.py       what is to be reviewed, as whoever asks names it
remote.py       a repository as git reaches it; the token is in an environment alone
bounded.py      a process that is watched while it runs: how long git may take, and how much it may write
clone.py        a bare repository of our own, with contents as far as they are needed
source.py       a change in a repository of git, and what its base says of reviews
through_api.py  a change without git: its diff, and what GitHub leaves out of it
unscored.py     the report on a change that could not be had
"""
