"""What every template is held to: nothing reaches a page unescaped or unseen, and nothing is passed over."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from oversight_server.pages import assets, rendering
from oversight_server.pages.access.headers import POLICY
from oversight_server.pages.rendering import environment
from tests.server.thread import Served

HERE = Path(rendering.__file__).parent


def rendered(source: str, **values: object) -> str:
    return environment().from_string(source).render(values)


def test_every_value_is_escaped_and_visible():
    """Whether a template asks for that or not, in text and in attributes; markup of ours passes."""
    assert rendered('<a b="{{ x }}">{{ x }}', x="<\u202e'\x00\">") == (
        r'<a b="&lt;\u202e&#39;\x00&#34;&gt;">&lt;\u202e&#39;\x00&#34;&gt;'
    )
    assert rendered("{{ x }}{{ y }}{{ z }}", x=Markup("<i>"), y=3, z="\udcff\n") == r"<i>3\xff\n"


def test_a_name_that_is_missing_is_an_error():
    """Also one that would only have been tested."""
    for source in ("{{ absent }}", "{% if absent %}{% endif %}", "{{ x.absent }}"):
        with pytest.raises(UndefinedError):
            rendered(source, x="")


def test_names_between_backticks_are_code():
    """In sentences that reports make, which may hold anything."""
    assert rendered("{{ x|prose }}", x="adds `f<b>` to `g`") == "adds <code>f&lt;b&gt;</code> to <code>g</code>"
    assert rendered("{{ x|prose }}", x="one ` alone <i>") == "one ` alone &lt;i&gt;"
    assert rendered("{{ x|prose(5) }}", x="`abcdefgh`") == "`abc…"


@pytest.mark.parametrize("template", sorted((HERE / "templates").glob("*.html")), ids=lambda path: path.name)
def test_templates_hold_nothing_that_the_policy_refuses(template: Path):
    """No inline script or style, no handler, nothing that htmx would evaluate, no way around escaping."""
    text = template.read_text(encoding="utf-8")
    for word in ("style=", "<style", "javascript:", "|safe", "hx-on", "hx-vals", "js:", "onclick", "autoescape"):
        assert word not in text
    assert all("src=" in tag for tag in text.split("<script")[1:])
    assert "unsafe" not in POLICY


def test_files_are_served_under_their_digest_alone(pages: Served):
    """To anybody, for ever; nothing else is."""
    for name in assets.assets():
        answer = pages.get(assets.path_of(name))
        assert (answer.status, answer.content) == (200, assets.assets()[name].content)
        assert answer.headers["cache-control"].endswith("immutable")
        assert answer.headers["x-content-type-options"] == "nosniff"
    for path in ("/static/0/style.css", "/static/x/../rendering.py", "/static/x/%2e%2e%2frendering.py", "/static/x"):
        assert pages.get(path).status == 404


def test_htmx_is_the_one_that_is_named():
    """The file beside it says which release it is, and its digest."""
    readme = (HERE / "static" / "vendor" / "README.md").read_text(encoding="utf-8")
    assert assets.assets()["htmx.js"].digest in readme
    assert b'version:"2.0.11"' in assets.assets()["htmx.js"].content
