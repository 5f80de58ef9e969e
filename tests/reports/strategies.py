"""Text that somebody wrote to do harm, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

PIECES = [
    "\x1b[31m", "\x1b]0;t\x07", "\x9b2J", "\x7f", "\x00", "\r\n", "\n", "\t", "\u202e", "\u2066", "\u200b", "\ufeff",
    "\u2028", "\u00ad", "\U000e0041", "\u3164", "\udc80", "\udcff", "\ud800", "\udfff",
    "`", "``", "```", "~~~", "*", "**", "_", "__", "~~", "|", "|---|", "\\", "\\`", "[", "](", ")", "![", "<", ">",
    "<b>", "</details>", "<!--", "-->", "<a href=x>", "<http://x.test>", "&lt;", "&#64;", "[x](http://x.test)",
    "![x](//x.test/y.png)", "[x]: http://x.test", "[^1]", "http://x.test", "https://x.test/?a=b", "www.x.test",
    "a@x.test", "@octo", "@octo/team", "#12", "GH-3", "octo/repo#4", "0123456789abcdef0123456789abcdef01234567",
    ":tada:", "$x$", "$$", "# ", "- ", "+ ", "1. ", "2) ", "> ", "===", "---", "    code", "::error::", "::set-output",
    "##[error]", "###[x]", "##vso[task]", "{0}", "{12}", "'", '"', " ", "  ", "a", "word", "naïve", "日本語", "é", "🎉",
]  # fmt: skip

anything = st.text(st.characters(exclude_categories=()), max_size=30)
"""Any text, lone surrogates and control characters included."""

hostile = st.lists(st.sampled_from(PIECES) | anything, max_size=12).map("".join)
"""Pieces that mean something to a terminal, a log, Markdown, HTML or SARIF, in any order, and any text between."""
