"""Bash and POSIX shell."""

from oversight.changes.syntax.grammar import Grammar

GRAMMAR = Grammar(
    name="bash",
    module="tree_sitter_bash",
    categories={
        "calls": ("(command name: (_) @_)",),
        "conditions": (
            "if_statement",
            "elif_clause",
            "case_item",
            "ternary_expression",
            '(list ["&&" "||"] @_)',
            '(binary_expression operator: ["&&" "||"] @_)',
        ),
        "loops": ("for_statement", "c_style_for_statement", "while_statement"),
        "definitions": ("function_definition",),
        "assignments": ("variable_assignment",),
        "literals": ("string", "raw_string", "ansi_c_string", "number", "heredoc_body"),
    },
    named={
        "raises": r"^(?:exit|die|fatal|bail)$",
        "returns": r"^return$",
        "handlers": r"^trap$",
        "imports": r"^(?:source|\.)$",
        "assertions": r"^(?:test_must_fail|test_expect_\w+|should)$",
    },
    markers=("#",),
    strings=("string", "raw_string", "ansi_c_string"),
    # Every string of a shell may span rows, and a heredoc may end at any word.
    long_strings=r"[\"'`]",
    interpolations=("command_substitution", "expansion", "simple_expansion", "arithmetic_expansion"),
    stray=r"[\"'`#\\]|<<|\S\Z",
    suspect=r"[\"'`]|\$\(|^#!",
)
