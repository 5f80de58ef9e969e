"""Java."""

from oversight.changes.syntax.grammar import Grammar

GRAMMAR = Grammar(
    name="java",
    module="tree_sitter_java",
    categories={
        "calls": (
            "(method_invocation name: (_) @_)",
            "(object_creation_expression type: (_) @_)",
            "(explicit_constructor_invocation constructor: (_) @_)",
        ),
        "conditions": (
            "if_statement",
            "ternary_expression",
            "switch_label",
            "guard",
            '(binary_expression operator: ["&&" "||"] @_)',
        ),
        "loops": ("for_statement", "enhanced_for_statement", "while_statement", "do_statement"),
        "handlers": ("try_statement", "try_with_resources_statement", "catch_clause", "finally_clause"),
        "raises": ("throw_statement",),
        "returns": ("return_statement", "yield_statement"),
        "assertions": ("assert_statement",),
        "definitions": (
            "class_declaration",
            "interface_declaration",
            "enum_declaration",
            "record_declaration",
            "annotation_type_declaration",
            "method_declaration",
            "constructor_declaration",
            "compact_constructor_declaration",
        ),
        "imports": ("import_declaration",),
        "assignments": ("assignment_expression", "(variable_declarator value: (_)) @_"),
        "literals": (
            "string_literal",
            "character_literal",
            "decimal_integer_literal",
            "hex_integer_literal",
            "octal_integer_literal",
            "binary_integer_literal",
            "decimal_floating_point_literal",
            "hex_floating_point_literal",
            "true",
            "false",
            "null_literal",
        ),
    },
    named={"assertions": r"^(?:verify(?:NoMoreInteractions|NoInteractions)?|fail|expectThrows)$"},
    comments=("line_comment", "block_comment"),
    strings=("string_literal", "character_literal"),
    long_strings=r'"""',
    interpolations=("string_interpolation",),
    stray=r"[\"']|//|/\*|\*\Z",
    # Java translates \\u escapes before it looks for the end of a comment.
    suspect=r'"""|\*/|\\u|\\\{',
)
