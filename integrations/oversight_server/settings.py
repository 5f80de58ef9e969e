"""The settings of the server: what the operator says in variables `OVERSIGHT_…`, nested ones with `__`.

Nothing of this is read from a repository under review. Secrets are `SecretStr`, so that no log and no traceback shows
them; a setting that makes no sense is a ConfigError that names the variable and never repeats its value.
`docs/SERVER.md` lists them all, written from the descriptions here.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from oversight.audit.budget.spending import parse
from oversight.errors import ConfigError, UsageError
from oversight.experiment.runs import data_directory
from oversight_server.missettings import NESTED, PREFIX, no_json, refused
from oversight_server.missettings import variable as variable
from oversight_server.origins import origin_of

SHORTEST_SECRET = 8

_LARGEST_KEY = 65_536
_SECRETS = ("webhook_secret", "webhook_secret_previous", "api_token", "database_url")
_REPOSITORY = re.compile(r"(?!\.+(?:/|$))[A-Za-z0-9._-]{1,100}(?:/(?!\.+$)[A-Za-z0-9._-]{1,100})?")
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?")
_BEGIN, _PRIVATE = "-----BEGIN ", "PRIVATE KEY-----"


def _long_enough(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if len(text) < SHORTEST_SECRET:
        raise ValueError(f"it has fewer than {SHORTEST_SECRET} characters; `openssl rand -hex 32` makes a good one")
    if text != text.strip():
        raise ValueError("it begins or ends with a blank, which is seldom meant")
    return value


def _private_key(value: object) -> object:
    r"""Return the key itself where the setting names a file. In one line, `\n` stands for the ends of lines."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str):
        raise ValueError("give the key or the path of its file")
    if not text.lstrip().startswith(_BEGIN):
        text = _content(text)
    text = text.replace("\\n", "\n").strip()
    if not text.startswith(_BEGIN) or _PRIVATE not in text:
        raise ValueError("it is no private key in PEM format, as GitHub hands it out, and names no file with one")
    return text + "\n"


def _client_secret(value: object) -> object:
    """Return the secret itself where the setting names a file, by its path from the root: no secret has a slash."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return _content(text).strip() if isinstance(text, str) and text.startswith("/") else value


def _content(path: str) -> str:
    try:
        with Path(path).expanduser().open(encoding="ascii") as file:
            return file.read(_LARGEST_KEY)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise ValueError(f"the file cannot be read: {reason or 'it is no text'}") from None


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("it is no address such as https://github.example.com")
    return value.rstrip("/")


Secret = Annotated[SecretStr, AfterValidator(_long_enough)]
Address = Annotated[str, AfterValidator(_address)]


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class GitHubSettings(_Group):
    """Which GitHub, and as which App."""

    app_id: str | None = Field(
        default=None,
        pattern=r"^([0-9]{1,20}|[A-Za-z0-9.]{8,40})$",
        description="Id, or client id, of the GitHub App. Without it deliveries are kept and nothing is reviewed.",
    )
    private_key: Annotated[SecretStr, BeforeValidator(_private_key)] | None = Field(
        default=None, description="Private key of the App: the PEM text, or the path of its file."
    )
    client_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]{8,64}$",
        description="Client id of the App, on its settings page: lets people log in to the pages.",
    )
    client_secret: Annotated[Secret, BeforeValidator(_client_secret)] | None = Field(
        default=None, description="A client secret of the App, for the same: the secret, or the whole path of its file."
    )
    api_url: Address = Field(default="https://api.github.com", description="REST API; `https://HOST/api/v3` on GHES.")
    server_url: Address = Field(
        default="https://github.com", description="Where git fetches from and people log in; `https://HOST` on GHES."
    )


class QueueSettings(_Group):
    """How jobs are done."""

    attempts: int = Field(
        default=6,
        ge=1,
        le=20,
        description="Attempts before a job is given up; waits between them double. Rate limits, and a GitHub that is "
        "down, use up none.",
    )
    patience_hours: float = Field(
        default=24.0,
        gt=0,
        description="Hours for which a job waits for rate limits, or for a GitHub that is down, at a time. Then the "
        "check run says that the review was given up.",
    )
    reconcile_hours: float = Field(
        default=6.0,
        ge=0,
        description="Hours after which GitHub is asked what deliveries should have told: one request a repository, and "
        "one after the start. 0 for never.",
    )
    dead_seconds: float = Field(
        default=20.0,
        ge=5,
        description="Seconds without a sign of life after which a process is dead and others do its jobs.",
    )
    stop_seconds: float = Field(
        default=20.0,
        ge=0,
        le=3600,
        description="Seconds that a server which is told to stop waits for its jobs; the rest goes to others.",
    )


class PostingSettings(_Group):
    """What is told on a pull request."""

    comment: Literal["auto", "always", "never"] = Field(
        default="auto", description="Summary comment: auto (where something calls for a reader), always or never."
    )
    inline: bool = Field(default=False, description="Whether findings are told in the diff as well.")
    check_run: bool = Field(default=True, description="Whether there is a check run, with its buttons for verdicts.")
    labels: bool = Field(default=False, description="Whether pull requests get a label with the verdict.")
    gate: bool = Field(default=False, description="Whether the check run of a flagged change fails.")


class RetentionSettings(_Group):
    """How long what came from GitHub is kept."""

    deliveries_days: float = Field(
        default=30.0,
        gt=0,
        description="Days for which the ids of deliveries are remembered, so that a redelivery is known as one. Their "
        "payloads go as soon as the queue has them.",
    )
    jobs_days: float = Field(
        default=30.0, gt=0, description="Days for which is remembered what became of a job, given up ones included."
    )


class ReviewSettings(_Group):
    """What one review may take. Each is computed in a process of its own."""

    processes: int = Field(default=2, ge=1, le=64, description="Reviews at once; each takes a core and some memory.")
    seconds: float = Field(
        default=300.0, ge=1, description="Seconds that a review may compute; one that takes longer is unscored."
    )
    megabytes: int = Field(
        default=1024, ge=256, description="Megabytes of memory that a review may take, where the platform bounds it."
    )
    reuse: int = Field(default=500, ge=1, description="Reviews after which a process is replaced by a new one.")
    budget: float | None = Field(
        default=None,
        gt=0,
        le=100,
        description="Percentage of changes to flag. Otherwise what a repository's `oversight.toml` says, or 10.",
    )
    drafts: bool = Field(default=False, description="Whether drafts of pull requests are reviewed.")


class CloneSettings(_Group):
    """How much code is kept."""

    megabytes: int = Field(
        default=20_000, ge=0, description="Megabytes of clones that are kept; those not used for longest go first."
    )
    largest_megabytes: int = Field(
        default=5_000, ge=1, description="Megabytes of one clone. What is larger is read through the API."
    )
    seconds: float = Field(
        default=900.0, ge=1, description="Seconds that fetching for one review may take; then the API has to do."
    )


def _names(value: dict[str, Path]) -> dict[str, Path]:
    if not all(_REPOSITORY.fullmatch(name) for name in value):
        raise ValueError("names are of letters, digits, dots and dashes, with a slash in between at most")
    return value


class ApiSettings(_Group):
    """What `POST /api/review` does."""

    concurrency: int = Field(default=2, ge=1, description="Reviews at once through the API; others are answered 429.")
    megabytes: int = Field(
        default=10, ge=1, le=100, description="Megabytes of a request; larger ones are answered 413."
    )
    repositories: Annotated[dict[str, Path], AfterValidator(_names)] = Field(
        default_factory=dict,
        description='Repositories of this machine that may be asked for, as JSON: `{"name": "/path"}`.',
    )


def _budget(value: str) -> str:
    try:
        parse(value)
    except UsageError as error:
        raise ValueError(f"{error.message}: {error.mend}") from None
    return value


def _logins(value: str) -> str:
    if not all(_LOGIN.fullmatch(one.strip()) for one in value.split(",")):
        raise ValueError("write logins on GitHub with a comma between them, such as ann,bob")
    return value


class PagesSettings(_Group):
    """Where the pages are, and who may come in. There are none without a way to log in."""

    url: Annotated[str, AfterValidator(origin_of)] | None = Field(
        default=None, description="Where browsers find the pages, such as `https://oversight.example.com`."
    )
    token: Secret | None = Field(
        default=None, description="Opens the pages to a browser on this machine, where the server listens on loopback."
    )
    public: bool = Field(
        default=False,
        description="Whether everybody with an account of GitHub may view what is kept of public repositories, not "
        "only who has a role there.",
    )
    budget: Annotated[str, AfterValidator(_budget)] = Field(
        default="20 per week",
        description='What people can judge: "20 per week", "10 per day" or "5%". "Add what came since" in the queue '
        "chooses so many changes.",
    )
    share: float = Field(default=0.25, gt=0, le=1, description="Part of that budget for the random slice.")
    studies: str | None = Field(
        default=None,
        description="Studies of `oversight research` to show: their folders, or folders of some, with a colon between "
        "them. Whoever came by the token sees them.",
    )
    study_readers: Annotated[str, AfterValidator(_logins)] | None = Field(
        default=None,
        description="Who else sees them: logins on GitHub, with a comma between them. Nobody who searches in them.",
    )
    idle_hours: float = Field(default=2.0, ge=0.1, le=720, description="Hours without a request that end a login.")
    longest_hours: float = Field(default=12.0, gt=0, le=720, description="Hours after which a login ends in any case.")
    role_seconds: float = Field(
        default=60.0,
        ge=0,
        le=3600,
        description="Seconds for which is remembered what GitHub says of somebody's rights.",
    )

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of studies."""
        return tuple(Path(one).expanduser() for one in (self.studies or "").split(os.pathsep) if one)

    @property
    def logins(self) -> tuple[str, ...]:
        """Who sees the studies without a token."""
        return tuple(one.strip() for one in (self.study_readers or "").split(",") if one.strip())


class Settings(BaseSettings):
    """Everything that the operator can set. Immutable."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=NESTED,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    webhook_secret: Secret = Field(
        description="Secret of the GitHub App's webhook, the one setting that has to be there. At least "
        f"{SHORTEST_SECRET} characters; `openssl rand -hex 32` makes a good one."
    )
    webhook_secret_previous: Secret | None = Field(
        default=None, description="The secret before, which stays valid while a new one is brought in."
    )
    api_token: Secret | None = Field(
        default=None, description="Bearer token of `POST /api/review`. Without it the API answers nobody."
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="Database: `postgresql://user:password@host/name` or `sqlite:////path/to/audit.db`. Otherwise "
        "`audit.db` in the data directory.",
    )
    data_dir: Path = Field(
        default_factory=data_directory, description="Where files are kept. Otherwise the user's own data directory."
    )
    model: str | None = Field(
        default=None, description="Model that reviews use: a name or a directory. Default: the shipped."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on; `--host` goes before it.")
    port: int = Field(
        default=8000, ge=0, le=65_535, description="Port to listen on, 0 for any; `--port` goes before it."
    )
    connections: int = Field(default=500, ge=1, description="Connections at once; further ones are answered 503.")
    memory_megabytes: int = Field(
        default=100,
        ge=26,
        description="Megabytes that all request bodies together may take while they are read and stored.",
    )
    metrics_protected: bool = Field(default=False, description="Whether `/metrics` asks for the API token.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much is logged: debug, info, warning or error."
    )
    github: GitHubSettings = Field(default_factory=GitHubSettings)
    queue: QueueSettings = Field(default_factory=QueueSettings)
    posting: PostingSettings = Field(default_factory=PostingSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    reviews: ReviewSettings = Field(default_factory=ReviewSettings)
    clones: CloneSettings = Field(default_factory=CloneSettings)
    api: ApiSettings = Field(default_factory=ApiSettings)
    pages: PagesSettings = Field(default_factory=PagesSettings)

    @property
    def database(self) -> str:
        """The database's URL, password and all."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir.expanduser().absolute() / 'audit.db'}"

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """The webhook secrets that are valid now."""
        valid = (self.webhook_secret, self.webhook_secret_previous)
        return tuple(secret.get_secret_value().encode() for secret in valid if secret is not None)


def load(**given: Any) -> Settings:
    """Return the settings from `given` (flags; None: not given) and the environment. Raises ConfigError.

    A secret may stand in a file, as container platforms hand them out: `OVERSIGHT_WEBHOOK_SECRET_FILE` and its like.
    """
    flags = {name: value for name, value in given.items() if value is not None}
    try:
        settings = Settings(**_of_files() | flags)
    except ValidationError as error:
        raise refused(error) from None
    except SettingsError as error:
        raise no_json(error) from None
    if settings.metrics_protected and settings.api_token is None:
        raise ConfigError(
            f"{PREFIX}METRICS_PROTECTED is on without a token to ask for", mend=f"set {PREFIX}API_TOKEN as well"
        )
    return settings


def _of_files() -> dict[str, str]:
    """Return the secrets that stand in files, without the line end there; variables of their own go before them."""
    found = {}
    for name in _SECRETS:
        path = os.environ.get(f"{variable(name)}_FILE")
        if not path or os.environ.get(variable(name)):
            continue
        try:
            with Path(path).open(encoding="utf-8") as file:
                found[name] = file.read(_LARGEST_KEY).strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise ConfigError(
                f"{variable(name)}_FILE: the file cannot be read: {reason or 'it is no text'}",
                mend="let the user that runs the server read it",
            ) from None
    return found
