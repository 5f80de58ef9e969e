"""The benchmark of the webhook server."""

from __future__ import annotations

from benchmarks.server import PAYLOAD, Change, changes_of, payload_of, request_of, table
from oversight_github.events import PullRequestEvent, received
from oversight_server.signature import sign
from tests.builders import GitRepository
from tests.server.client import SECRET


def test_the_newest_commits_become_pull_requests(tmp_path):
    """Each with its parent as the base, the newest first, and none of them twice."""
    repository = GitRepository.create(tmp_path / "project")
    shas = [repository.commit(f"Commit {number}", {"a.py": f"x = {number}\n"}) for number in range(4)]
    assert changes_of(repository.path, 2) == [Change(1, shas[3], shas[2]), Change(2, shas[2], shas[1])]


def test_a_delivery_is_what_the_server_understands():
    """The payload has the usual size and tells of an opened pull request, signed with the secret."""
    body = payload_of(Change(7, "a" * 40, "b" * 40), 77)
    event, origin = received("pull_request", body)
    assert isinstance(event, PullRequestEvent)
    assert (event.action, event.pull.number, event.pull.head_sha) == ("opened", 7, "a" * 40)
    assert (origin.repository, origin.installation) == ("octo/repo", 77)
    assert len(body) >= PAYLOAD
    assert sign(SECRET.encode(), body).encode() in request_of(body)
    assert request_of(body) != request_of(body)


def test_the_page_says_what_was_answered_and_what_was_reviewed():
    """A burst that was not accepted as a whole, or not reviewed, shows as that."""
    burst = {
        "deliveries": 999, "connections": 25, "statuses": {"202": 990, "503": 9}, "seconds": 1.25,
        "p50_ms": 20.4, "p99_ms": 50.6, "worst_ms": 60.0,
    }  # fmt: skip
    one = {
        "burst": burst, "second_burst": {**burst, "p99_ms": 70.2},
        "reviews": {"scored": 900.0, "seconds": 600.0}, "memory_mb": [[2000, 150.2]],
        "taken_at": "2026-01-02", "cores": 2, "load": 0.1, "clone": "project",
    }  # fmt: skip
    page = table({"SQLite": one})
    for line in (
        "| SQLite | 2, 0.1 | first | 990 of 999 | 25 | 1.2 s | 20 ms | 51 ms | 60 ms |",
        "| SQLite | 2, 0.1 | second | 990 of 999 | 25 | 1.2 s | 20 ms | 70 ms | 60 ms |",
        "| SQLite | 900 of 1000 | 600 s |",
    ):
        assert line in page.splitlines()
    assert "| SQLite | 2,000: 150 |" in page.splitlines()
