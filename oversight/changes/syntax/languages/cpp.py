"""C++: what C has, and what it adds."""

from oversight.changes.syntax.grammar import Grammar
from oversight.changes.syntax.languages.c import CATEGORIES, ERROR_LABELS, STRAY

_MORE: dict[str, tuple[str, ...]] = {
    "calls": ("(new_expression type: (_) @_)",),
    "conditions": ('(binary_expression operator: ["and" "or"] @_)',),
    "loops": ("for_range_loop",),
    "handlers": ("try_statement", "catch_clause"),
    "raises": ("throw_statement",),
    "returns": ("co_return_statement", "co_yield_statement"),
    "assertions": ("static_assert_declaration",),
    "definitions": (
        "(class_specifier body: (_)) @_",
        "namespace_definition",
        "alias_declaration",
        "concept_definition",
    ),
    "imports": ("using_declaration",),
    "literals": ("raw_string_literal",),
}

GRAMMAR = Grammar(
    name="cpp",
    module="tree_sitter_cpp",
    categories={name: CATEGORIES.get(name, ()) + _MORE.get(name, ()) for name in {**CATEGORIES, **_MORE}},
    named={"raises": r"(?:^|_|::)(?:abort|terminate|panic|rethrow_exception)$|^(?:std::)?_?exit$"},
    error_labels=ERROR_LABELS,
    strings=("string_literal", "char_literal", "raw_string_literal"),
    long_strings=r'R"',
    # A raw string ends at `)name"`, of which the quote may be the beginning of another string for us.
    stray=STRAY + r"|\)[^\s()\\]{0,16}\Z",
    suspect=r"\*/|\)[^\s()\\]{0,16}\"",
)
