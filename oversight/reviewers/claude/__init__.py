"""A weak reviewer that asks Claude, by the constitution that the local `principles` reviewer reads.

Nothing here runs unless a person says so outside of the repository under review, since code leaves the machine: with
`oversight label --send-code`, or OVERSIGHT_SEND_CODE in the environment. `docs/CLAUDE_REVIEWER.md` says what is sent.

change ──fence──> text ──prompt, requests──> question ──bulk, client──> reply ──answers──> vote ──verdict──> label

| module | |
|---|---|
| `fence` | a change as text that cannot speak for itself |
| `prompt` | the constitution as a system prompt, and the question |
| `answers` | the form of an answer, and what makes one unusable |
| `requests` | what is asked about a change, and what is still missing |
| `verdict` | several answers become one label, and opinions |
| `bulk` | a whole history, in batches, resumable |
| `store` | answers and batches on disk: nothing is paid for twice |
| `prices`, `budget` | what it costs, and the cap that holds |
| `client` | the one module that speaks to Claude |
| `consent` | who may turn it on |

`store` alone is needed to learn from labels that are there; the others need the extra `claude`.
"""
