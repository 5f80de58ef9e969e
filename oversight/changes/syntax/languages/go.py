"""Go."""

from oversight.changes.syntax.grammar import Grammar

GRAMMAR = Grammar(
    name="go",
    module="tree_sitter_go",
    categories={
        "calls": ("(call_expression function: (_) @_)",),
        "conditions": (
            "if_statement",
            "expression_case",
            "type_case",
            "communication_case",
            "default_case",
            '(binary_expression operator: ["&&" "||"] @_)',
        ),
        "loops": ("for_statement",),
        "handlers": ("defer_statement", "(labeled_statement label: (_) @label)"),
        "returns": ("return_statement",),
        "definitions": ("function_declaration", "method_declaration", "type_spec", "type_alias"),
        "imports": ("import_spec",),
        "assignments": (
            "assignment_statement",
            "short_var_declaration",
            "(var_spec value: (_)) @_",
            "(const_spec value: (_)) @_",
        ),
        "literals": (
            "interpreted_string_literal",
            "raw_string_literal",
            "rune_literal",
            "int_literal",
            "float_literal",
            "imaginary_literal",
            "true",
            "false",
            "nil",
        ),
    },
    named={
        "raises": r"^(?:panic|os\.Exit|log\.(?:Fatal|Panic)(?:f|ln)?)$",
        "handlers": r"^recover$",
        "assertions": r"^(?:require|assert)\.\w+$|^(?:t|tb|b)\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)$",
    },
    error_labels=r"(?i)^(?:err|error|fail|out|cleanup|bad)\w*$",
    strings=("interpreted_string_literal", "raw_string_literal", "rune_literal"),
    long_strings="`",
    stray=r"[\"'`]|//|/\*|\*\Z",
    # Directives and the C of cgo live in comments.
    suspect=r"`|\*/|//go:|//export|//line|\+build|#",
)
