"""PHP: fragments inside the tags by default, whole pages where a tag is seen."""

from oversight.changes.syntax.grammar import Grammar

GRAMMAR = Grammar(
    name="php",
    module="tree_sitter_php",
    entry="language_php_only",
    variants=((r"<\?(?:php|=)", "language_php"),),
    categories={
        "calls": (
            "(function_call_expression function: (_) @_)",
            "(member_call_expression name: (_) @_)",
            "(nullsafe_member_call_expression name: (_) @_)",
            "(scoped_call_expression name: (_) @_)",
            "(object_creation_expression [(name) (qualified_name) (variable_name)] @_)",
        ),
        "conditions": (
            "if_statement",
            "else_if_clause",
            "conditional_expression",
            "case_statement",
            "default_statement",
            "match_conditional_expression",
            "match_default_expression",
            '(binary_expression operator: ["&&" "||" "and" "or" "xor" "??"] @_)',
        ),
        "loops": ("for_statement", "foreach_statement", "while_statement", "do_statement"),
        "handlers": ("try_statement", "catch_clause", "finally_clause", "error_suppression_expression"),
        "raises": ("throw_expression", "exit_statement"),
        "returns": ("return_statement", "yield_expression"),
        "definitions": (
            "function_definition",
            "method_declaration",
            "class_declaration",
            "interface_declaration",
            "trait_declaration",
            "enum_declaration",
        ),
        "imports": (
            "namespace_use_declaration",
            "require_expression",
            "require_once_expression",
            "include_expression",
            "include_once_expression",
        ),
        "assignments": ("assignment_expression", "augmented_assignment_expression", "reference_assignment_expression"),
        "literals": ("string", "encapsed_string", "heredoc", "nowdoc", "integer", "float", "boolean", "null"),
    },
    named={"assertions": r"^(?:assert\w*|expect\w*|fail)$", "raises": r"^trigger_error$"},
    markers=("//", "/*", "#"),
    strings=("string", "encapsed_string", "shell_command_expression"),
    # Every string of PHP may span rows, and a heredoc may end at any word.
    long_strings=r"[\"'`]",
    stray=r"[\"'`#]|//|/\*|<<<|\?>|<\?|\*\Z",
    suspect=r"[\"'`]|\*/|\{\$|\$\{|\?>|<\?|^#\[|^#!|(?m:^\s*[A-Za-z_])",
)
