"""tree-sitter on hunks: what is around a change, what starts on its lines, and what is certainly no code.

    FileChange ── analyse ──> HunkSyntax (one a hunk) ── old, new ──> Fragment: text, tree, code, counts

Each side of a hunk is parsed as a text of its own. Nothing is parsed before it is asked for, and all but
`HunkSyntax.enclosing` depends on the hunk's own lines only, so that every reader of a change sees the same.
"""

from oversight.changes.syntax.fragment import MAX_BYTES, Fragment
from oversight.changes.syntax.grammar import CATEGORIES, EditCounts
from oversight.changes.syntax.hunks import HunkSummary, HunkSyntax, analyse
from oversight.changes.syntax.parsing import Allowance

__all__ = ["CATEGORIES", "MAX_BYTES", "Allowance", "EditCounts", "Fragment", "HunkSummary", "HunkSyntax", "analyse"]
