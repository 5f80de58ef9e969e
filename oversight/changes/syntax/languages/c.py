"""C."""

from oversight.changes.syntax.grammar import Grammar

ERROR_LABELS = (
    r"(?i)^(?:\w*_)?(?:err|error|fail|failed|failure|out|exit|bad|abort|cleanup|unwind|free|undo|rollback)\d*(?:_|$)"
)
STRAY = r"[\"']|//|/\*|\*\Z"
SUSPECT = r"\*/"

CATEGORIES: dict[str, tuple[str, ...]] = {
    "calls": ("(call_expression function: (_) @_)",),
    "conditions": (
        "if_statement",
        "case_statement",
        "conditional_expression",
        '(binary_expression operator: ["&&" "||"] @_)',
        "preproc_if",
        "preproc_ifdef",
        "preproc_elif",
    ),
    "loops": ("for_statement", "while_statement", "do_statement"),
    "handlers": ("seh_except_clause", "seh_finally_clause", "(labeled_statement label: (_) @label)"),
    "returns": ("return_statement",),
    "definitions": (
        "function_definition",
        "(struct_specifier body: (_)) @_",
        "(union_specifier body: (_)) @_",
        "(enum_specifier body: (_)) @_",
        "type_definition",
        "preproc_def",
        "preproc_function_def",
    ),
    "imports": ("preproc_include",),
    "assignments": ("assignment_expression", "init_declarator"),
    "literals": ("string_literal", "char_literal", "number_literal", "true", "false", "null"),
}

GRAMMAR = Grammar(
    name="c",
    module="tree_sitter_c",
    categories=CATEGORIES,
    named={
        "raises": r"(?:^|_)(?:abort|panic|longjmp)$|^_?exit$|^rte_exit$|^BUG$",
        "assertions": r"^(?:static_assert|_Static_assert|cmocka_\w+|ck_\w+|zassert_\w+)$",
    },
    error_labels=ERROR_LABELS,
    strings=("string_literal", "char_literal"),
    stray=STRAY,
    suspect=SUSPECT,
)
