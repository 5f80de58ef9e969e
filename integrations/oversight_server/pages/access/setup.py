"""Who may come in, from the settings."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from oversight.errors import ConfigError
from oversight_github.oauth import OAuth
from oversight_server.github_app import GitHubApp
from oversight_server.origins import host_of, is_loopback
from oversight_server.pages.access.gate import Access
from oversight_server.pages.access.github import GitHubLogin
from oversight_server.pages.access.roles import GitHubRoles
from oversight_server.pages.access.sessions import Sessions
from oversight_server.pages.access.site import Site
from oversight_server.pages.access.tokens import TokenLogin, user_of_this_machine
from oversight_server.settings import Settings, variable

_LOCAL_SESSION = timedelta(days=7)


def access_of(settings: Settings, engine: Engine, app: GitHubApp | None) -> Access | None:
    """Return who may come in, None where the settings name no way to. Raises ConfigError for what makes no sense."""
    pages = settings.pages
    github, token = _github(settings, engine, app), _token(settings)
    if github is None and token is None:
        if pages.url is not None:
            raise _wrong("there is no way to log in to the pages", "github", "client_id")
        return None
    if pages.idle_hours > pages.longest_hours:
        raise _wrong("logins would end before they are idle", "pages", "idle_hours", do="lower")
    sessions = Sessions(engine, idle=timedelta(hours=pages.idle_hours), longest=timedelta(hours=pages.longest_hours))
    return Access(Site(pages.url), sessions, github, token)


def local_access(engine: Engine, login: str) -> Access:
    """Return who may come in where the pages are for one person on one machine: whoever has the token, once.

    The token is `access.token.token`; `/login/token?token=…` is what to open.
    """
    return Access(Site(), Sessions(engine, idle=_LOCAL_SESSION, longest=_LOCAL_SESSION), token=TokenLogin(login))


def _github(settings: Settings, engine: Engine, app: GitHubApp | None) -> GitHubLogin | None:
    github, url = settings.github, settings.pages.url
    if github.client_id is None and github.client_secret is None:
        return None
    if github.client_id is None:
        raise _wrong("a client secret without its id", "github", "client_id")
    if github.client_secret is None:
        raise _wrong("a client id without a secret", "github", "client_secret")
    if app is None:
        raise _wrong("only the App can ask GitHub who may do what", "github", "app_id")
    if url is None:
        raise _wrong("GitHub has to know where to lead back to", "pages", "url")
    if not url.startswith("https:") and not is_loopback(host_of(url)):
        raise _wrong("a login is never sent in the clear", "pages", "url", do="give an address with https in")
    oauth = OAuth(
        github.client_id, github.client_secret.get_secret_value(),
        server_url=github.server_url, api_url=github.api_url,
    )  # fmt: skip
    roles = GitHubRoles(app, engine, public=settings.pages.public, seconds=settings.pages.role_seconds)
    return GitHubLogin(oauth, url, roles, public=settings.pages.public)


def _token(settings: Settings) -> TokenLogin | None:
    pages = settings.pages
    if pages.token is None:
        return None
    if not is_loopback(settings.host) or (pages.url is not None and not is_loopback(host_of(pages.url))):
        raise _wrong("a token opens the pages on loopback alone", "pages", "token", do="remove")
    return TokenLogin(user_of_this_machine(), pages.token.get_secret_value())


def _wrong(what: str, *path: str, do: str = "set") -> ConfigError:
    return ConfigError(what, mend=f"{do} {variable(*path)}; docs/SERVER.md says what it is for")
