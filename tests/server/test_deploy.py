"""What is deployed: as little as possible, with as few rights, and all of it as the code says."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import subprocess
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from oversight_server.github_app import PERMISSIONS
from oversight_server.handlers import EVENTS
from oversight_server.pages.access.github import CALLBACK
from oversight_server.reference import settings as all_settings
from oversight_server.settings import Settings, load
from oversight_server.webhooks import PATH
from tests.server.app_double import pem

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# Events of the App's own installation come without being asked for.
UNASKED = {"installation", "installation_repositories"}


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile, an instruction at a time, without comments."""
    lines = [line for line in (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found = [line.split(None, 1) for line in joined.splitlines() if line.strip()]
    return [(name, rest) for name, rest in found]


def given(name: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == name]


def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return read


def locked(name: str = "requirements.txt") -> list[Requirement]:
    lines = (DEPLOY / name).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    return [Requirement(line.split(" --hash=")[0].strip()) for line in lines if line.strip()]


def test_the_image_runs_as_nobody_and_writes_to_one_place() -> None:
    """Its user has no name to log in with, no shell and no rights."""
    names = [name for name, _ in instructions()]
    assert set(names) <= {
        "ARG", "FROM", "ENV", "WORKDIR", "COPY", "RUN", "VOLUME", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD",
    }  # fmt: skip
    assert given("USER") == ["10001:10001"]
    last = len(names) - 1 - names[::-1].index("FROM")
    assert "USER" in names[last:]
    assert not {"RUN", "COPY"} & set(names[names.index("USER") :]), "nothing is installed as that user"
    assert given("VOLUME") == ["/var/lib/oversight"]
    assert json.loads(given("ENTRYPOINT")[0]) + json.loads(given("CMD")[0]) == ["oversight", "serve"]
    assert not any(word in rest for _, rest in instructions() for word in ("curl ", "wget ", "sudo", "ADD "))
    assert not any("secret" in rest.lower() or "token" in rest.lower() for rest in [*given("ENV"), *given("ARG")])


def test_everything_in_the_image_has_its_hash() -> None:
    """What is installed comes from locks alone, or from this repository without a look at an index."""
    installs = [
        part for rest in given("RUN") for part in rest.split("&&") if " pip install" in part or " pip wheel" in part
    ]
    assert len(installs) == 4
    for command in installs:
        options = shlex.split(command)
        assert "--require-hashes" in options or {"--no-index", "--no-deps"} <= set(options)
    for name in ("requirements.txt", "requirements-build.txt"):
        text = (DEPLOY / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index" not in text
        for line in filter(str.strip, text.replace("\\\n", " ").splitlines()):
            assert re.fullmatch(r"[\w.-]+==[\w.!+]+(?: ; [^\\#]+?)?(?:\s+--hash=sha256:[0-9a-f]{64})+", line.strip()), (
                line
            )


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_covers_what_the_server_needs(python: str) -> None:
    """Each package of the core and of the extra `server`, as new as is asked for; neither torch nor what it brings."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    where = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix",
             "python_version": python, "python_full_version": f"{python}.0", "implementation_name": "cpython",
             "platform_python_implementation": "CPython"}  # fmt: skip
    pinned = {
        one.name: next(iter(one.specifier)).version for one in locked() if not one.marker or one.marker.evaluate(where)
    }
    wanted = [*project["dependencies"], *extras["server"], *extras["audit"], *extras["github"]]
    for text in wanted:
        needed = Requirement(text)
        if canonicalize_name(needed.name) != canonicalize_name(project["name"]):
            assert needed.specifier.contains(pinned[canonicalize_name(needed.name)]), text
    assert not {"torch", "transformers", "scikit-learn", "scipy", "anthropic", "pytest"} & set(pinned)
    assert "hatchling" in {one.name for one in locked("requirements-build.txt")}


def test_what_the_image_is_made_of_is_there_and_nothing_else_gets_in() -> None:
    """Neither the history of the repository nor anybody's secrets are sent to whoever builds it."""
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    copied = {part for rest in given("COPY") if "--from" not in rest for part in rest.split()[:-1]}
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)
    assert not any(name.startswith(("deploy/secrets", ".git", "tests")) for name in let_in)


def test_the_server_gets_few_rights_and_its_secrets_as_files() -> None:
    """Read-only, no capabilities, reachable from this machine alone; what it is told are settings that there are."""
    read = compose()
    server = read["services"]["server"]
    assert server["read_only"] is True
    assert server["cap_drop"] == ["ALL"]
    assert server["init"] is True
    assert server["user"] == given("USER")[0]
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])
    assert "ports" not in read["services"]["database"]
    assert "privileged" not in json.dumps(read)
    known = {name for name, _ in all_settings(Settings)}
    for name, value in server["environment"].items():
        assert value.removeprefix("/run/secrets/") in server["secrets"]
        assert name in known or name.removesuffix("_FILE") in known
    used = {secret for service in read["services"].values() for secret in service["secrets"]}
    assert used == set(read["secrets"])
    assert all(secret["file"].startswith("secrets/") for secret in read["secrets"].values())
    mounted = {volume.partition(":")[0] for service in read["services"].values() for volume in service["volumes"]}
    assert mounted == set(read["volumes"])
    assert server["volumes"] == [f"data:{given('VOLUME')[0]}"]


def test_neither_secrets_nor_settings_are_ever_committed() -> None:
    """They lie beside the files that are."""
    done = subprocess.run(
        ["git", "check-ignore", "deploy/secrets/github_key", "deploy/settings.env"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["deploy/secrets/github_key", "deploy/settings.env"]


def test_the_example_names_settings_that_there_are() -> None:
    """With values that are taken, and no secrets among them."""
    text = (DEPLOY / "settings.env.example").read_text(encoding="utf-8")
    pairs = dict(re.findall(r"^#?(OVERSIGHT_\w+)=(.+)$", text, re.MULTILINE))
    fields = dict(all_settings(Settings))
    assert len(pairs) >= 5
    assert set(pairs) <= set(fields)
    assert not any(word in name for name in pairs for word in ("SECRET", "TOKEN", "KEY", "DATABASE"))


def test_secrets_come_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As compose mounts them, with the line end that editors leave; a variable of its own goes before its file."""
    contents = {
        "WEBHOOK_SECRET": "a secret of the tests", "API_TOKEN": "a token of the tests", "DATABASE_URL": "postgresql://u:p@h/d",
    }  # fmt: skip
    for name, value in contents.items():
        (tmp_path / name).write_text(value + "\n")
        monkeypatch.setenv(f"OVERSIGHT_{name}_FILE", str(tmp_path / name))
    (tmp_path / "key").write_text(pem())
    monkeypatch.setenv("OVERSIGHT_GITHUB__PRIVATE_KEY", str(tmp_path / "key"))
    read = load()
    assert read.webhook_secret.get_secret_value() == contents["WEBHOOK_SECRET"]
    assert read.api_token is not None
    assert read.api_token.get_secret_value() == contents["API_TOKEN"]
    assert read.database == contents["DATABASE_URL"]
    monkeypatch.setenv("OVERSIGHT_API_TOKEN", "another token of the tests")
    assert load().api_token != read.api_token


def test_the_app_asks_for_what_is_used_and_no_more() -> None:
    """Its permissions are those of its tokens, and its events those that lead to something."""
    manifest = json.loads((DEPLOY / "app-manifest.json").read_text(encoding="utf-8"))
    assert manifest["default_permissions"] == dict(PERMISSIONS)
    assert set(manifest["default_events"]) == EVENTS - UNASKED
    assert manifest["hook_attributes"]["url"].endswith(PATH)
    assert manifest["callback_urls"] == [manifest["url"] + CALLBACK]
    assert manifest["public"] is False


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.manifest = ""
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag == "textarea"

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "textarea"

    def handle_data(self, data: str) -> None:
        self.manifest += data * self._inside


def test_the_page_sends_that_manifest_to_github_and_does_nothing_else() -> None:
    """It loads nothing and runs nothing."""
    page = _Page()
    page.feed((DEPLOY / "create-app.html").read_text(encoding="utf-8"))
    assert json.loads(page.manifest) == json.loads((DEPLOY / "app-manifest.json").read_text(encoding="utf-8"))
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe"}
    (form,) = [attributes for tag, attributes in page.tags if tag == "form"]
    assert form == {"method": "post", "action": "https://github.com/settings/apps/new"}


def test_what_github_answers_becomes_the_files_that_are_mounted(tmp_path: Path) -> None:
    """All of them, for nobody else to look at; run again it changes nothing, and what is no App is told."""
    url = "https://reviews.example.com"
    told = {"id": 4711, "client_id": "Iv1.4711", "client_secret": "c" * 40, "external_url": url, "pem": pem(),
            "webhook_secret": "s" * 40}  # fmt: skip
    (tmp_path / "app.json").write_text(json.dumps(told))
    prepare = runpy.run_path(str(DEPLOY / "prepare.py"))["prepare"]
    written = prepare(tmp_path / "app.json", tmp_path)
    assert set(written) == {*compose()["secrets"], "settings.env"}
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    password = (tmp_path / "secrets" / "database_password").read_text().strip()
    assert f":{password}@database/" in (tmp_path / "secrets" / "database_url").read_text()
    for line in ("GITHUB__APP_ID=4711", "GITHUB__CLIENT_ID=Iv1.4711", f"PAGES__URL={url}"):
        assert f"OVERSIGHT_{line}\n" in (tmp_path / "settings.env").read_text()
    assert prepare(tmp_path / "app.json", tmp_path) == []
    (tmp_path / "app.json").write_text('{"message": "Not Found"}')
    with pytest.raises(SystemExit, match="create the App again"):
        prepare(tmp_path / "app.json", tmp_path)
