"""TypeScript: what JavaScript has, and what it adds."""

from oversight.changes.syntax.grammar import Grammar
from oversight.changes.syntax.languages.javascript import CATEGORIES as _JAVASCRIPT
from oversight.changes.syntax.languages.javascript import NAMED, STRAY, STRINGS, SUSPECT

_MORE: dict[str, tuple[str, ...]] = {
    "definitions": (
        "abstract_class_declaration",
        "interface_declaration",
        "type_alias_declaration",
        "enum_declaration",
        "internal_module",
        "function_signature",
        "abstract_method_signature",
    ),
    "imports": ("import_alias",),
}
CATEGORIES = {name: patterns + _MORE.get(name, ()) for name, patterns in _JAVASCRIPT.items()}

GRAMMAR = Grammar(
    name="typescript",
    module="tree_sitter_typescript",
    entry="language_typescript",
    categories=CATEGORIES,
    named=NAMED,
    strings=STRINGS,
    long_strings="`",
    interpolations=("template_substitution",),
    stray=STRAY,
    suspect=SUSPECT,
)
