"""Claude as a researcher: a loop of a few tools, which reads what was learned, proposes, hears what came of it, and
writes down what that taught.

    opening ──> answer ──> a tool of ours ──> answer ── ... ──> proposal, kept until its round has run
                                                                  └── its result opens the next round

No code, path, commit or label of a repository is in what is sent: `prompt` and `tools` see results, the notebook and
the methods of this package, and nothing else. An agent has no shell, no files and no network; what it writes runs in
the sandbox of written methods or nowhere.

| module | |
|---|---|
| `dialogue` | all that was said, on disk, from which conversations and bills are made again |
| `prompt` | the rules and the space as a system prompt; where each agent starts; results as text |
| `tools` | the tools with their forms, and what each does |
| `agent` | the loop, as a `Proposer` |
| `hiring` | agents for a study, what they are likely to cost, and the cap that they share |

`dialogue` alone is needed to read what a run has cost; the others need the extra `claude`.
"""
