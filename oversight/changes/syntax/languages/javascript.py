"""JavaScript and JSX."""

from oversight.changes.syntax.grammar import Grammar

# A slash may begin a regular expression, in which quotes and slashes mean nothing.
STRAY = r"[\"'`/]|\*\Z"
# Backticks end a template, braces in a template or in JSX text run what is in them; `sourceMappingURL` and
# `@ts-` comments speak to tools.
SUSPECT = r"`|\*/|\$\{|\{[^{}]*[(=]|^#!"
STRINGS = ("string", "template_string")
CATEGORIES: dict[str, tuple[str, ...]] = {
    "calls": ("(call_expression function: (_) @_)", "(new_expression constructor: (_) @_)"),
    "conditions": (
        "if_statement",
        "switch_case",
        "switch_default",
        "ternary_expression",
        '(binary_expression operator: ["&&" "||" "??"] @_)',
    ),
    "loops": ("for_statement", "for_in_statement", "while_statement", "do_statement"),
    "handlers": ("try_statement", "catch_clause", "finally_clause"),
    "raises": ("throw_statement",),
    "returns": ("return_statement", "yield_expression"),
    "definitions": (
        "function_declaration",
        "generator_function_declaration",
        "class_declaration",
        "method_definition",
        "(variable_declarator value: [(arrow_function) (function_expression) (class)]) @_",
        "(pair value: [(arrow_function) (function_expression)]) @_",
    ),
    "imports": ("import_statement", "(export_statement source: (_)) @_"),
    "assignments": (
        "assignment_expression",
        "augmented_assignment_expression",
        "(variable_declarator value: (_)) @_",
    ),
    "literals": ("string", "template_string", "number", "regex", "true", "false", "null", "undefined"),
}
NAMED = {
    "imports": r"^(?:require|require\.resolve|import|importScripts)$",
    "handlers": r"\.(?:catch|finally)$",
    "raises": r"^(?:process\.(?:exit|abort)|Promise\.reject)$",
    "assertions": r"^(?:assert|expect|should|t|chai)\b(?:\.\w+)*$|\.(?:assert|should)\b",
}

GRAMMAR = Grammar(
    name="javascript",
    module="tree_sitter_javascript",
    categories=CATEGORIES,
    named=NAMED,
    strings=STRINGS,
    long_strings="`",
    interpolations=("template_substitution",),
    stray=STRAY,
    suspect=SUSPECT,
)
