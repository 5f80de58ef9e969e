"""How fast `review` and `score` are, beside semgrep and beside git itself in the same run.

    python -m benchmarks.speed --clone ../clones/dpdk [--json FILE]

`review`: from process start to the report with a warm context cache, on the newest change of 20 files or
more, against semgrep scanning the same files with two local rules. `score`: changes a second on all
workers once they have been read, against the time git takes to print the same changes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from benchmarks.timing import command, median

_RULES = """\
rules:
  - {id: no-strcpy, languages: [c, cpp], severity: WARNING, message: unbounded copy, pattern: "strcpy(...)"}
  - {id: no-eval, languages: [python, javascript], severity: WARNING, message: evaluates text, pattern: "eval(...)"}
"""


def review_figures(clone: Path, *, files: int, runs: int) -> dict[str, float | int | str]:
    """Time `oversight review` and semgrep on the newest change with `files` files or more that both can read."""
    from oversight.changes.languages import language_of
    from oversight.changes.repository import Repository

    repository = Repository.open(clone)
    newest = (commit.sha for commit in reversed(repository.commits("HEAD")))
    for sha in islice(newest, 20_000):
        change = repository.change(repository.span(sha))
        paths = [file.new_path for file in change.files if file.new_path and language_of(file.new_path)]
        if files <= len(paths) <= files + 5:
            break
    else:
        raise SystemExit(f"no change of about {files} files in {clone}")
    binaries = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory, "tree")
        for path in paths:
            content = repository.read(sha, path)
            if content is not None:
                target = tree / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        rules = Path(directory, "rules.yml")
        rules.write_text(_RULES)
        ours = [binaries / "oversight", "review", "--repo", clone, sha, "--format", "json"]
        theirs = [binaries / "semgrep", "scan", "--metrics=off", "--disable-version-check", "--config", rules, tree]
        environment = {
            **os.environ,
            "OVERSIGHT_CACHE_DIR": str(Path(directory, "cache")),
            "SEMGREP_SEND_METRICS": "off",
        }
        seconds = median(lambda: command(ours, env=environment), runs)
        peer = median(lambda: command(theirs, env=environment), runs)
    return {
        "commit": sha,
        "files": len(paths),
        "lines": change.added + change.deleted,
        "oversight_seconds": round(seconds, 3),
        "semgrep_seconds": round(peer, 3),
        "ratio": round(seconds / peer, 3),
    }


def score_figures(clone: Path, *, changes: int, workers: int) -> dict[str, float | int]:
    """Time scoring after reading, on workers warmed by the commits before, and git printing the same commits."""
    from oversight.changes.repository import Repository
    from oversight.history.context import contexts
    from oversight.history.log import read_log
    from oversight.scoring import BATCH, Ranking, Work, raw_scores
    from oversight.students.runtime import open_model

    repository = Repository.open(clone)
    warming = 4 * BATCH * workers  # enough batches that every worker starts, loads the model and compiles its grammars
    commits = [commit.sha for commit in repository.commits("HEAD")][-changes - warming :]
    first, shas = commits[:-changes], commits[-changes:]
    wanted = set(commits)
    known = {commit.sha: context for commit, context in contexts(read_log(repository, "HEAD")) if commit.sha in wanted}
    started = time.perf_counter()
    patches = list(repository.patches(shas))
    reading = time.perf_counter() - started
    jobs = [(patch, known[patch.sha]) for patch in patches]
    work, model = Work(repository.name, None), open_model()
    earlier = [(patch, known[patch.sha]) for patch in repository.patches(first)]
    list(raw_scores(work, earlier, workers=workers))
    started = time.perf_counter()
    rows = list(Ranking(model, 10.0).rows(raw_scores(work, jobs, workers=workers)))
    scoring = time.perf_counter() - started
    return {
        "changes": len(rows),
        "workers": workers,
        "git_seconds": round(reading, 2),
        "score_seconds": round(scoring, 2),
        "changes_per_second": round(len(rows) / scoring, 1),
        "ratio_to_git": round(scoring / reading, 2),
    }


def main() -> None:
    """Run both and print them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clone", type=Path, action="append", required=True, help="a local clone; may be given again")
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--changes", type=int, default=4000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    figures = {
        "taken_at": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "repositories": {
            clone.resolve().parent.name if clone.name == "repo" else clone.name: {
                "review": review_figures(clone, files=options.files, runs=options.runs),
                "score": score_figures(clone, changes=options.changes, workers=options.workers),
            }
            for clone in options.clone
        },
    }
    text = json.dumps(figures, indent=2) + "\n"
    print(text, end="")
    if options.json:
        options.json.write_text(text)


if __name__ == "__main__":
    main()
