"""Rust."""

from oversight.changes.syntax.grammar import Grammar

GRAMMAR = Grammar(
    name="rust",
    module="tree_sitter_rust",
    categories={
        "calls": ("(call_expression function: (_) @_)", "(macro_invocation macro: (_) @_)"),
        "conditions": ("if_expression", "match_arm", "let_chain", '(binary_expression operator: ["&&" "||"] @_)'),
        "loops": ("for_expression", "while_expression", "loop_expression"),
        "handlers": ("try_expression", "try_block"),
        "returns": ("return_expression", "yield_expression"),
        "definitions": (
            "function_item",
            "function_signature_item",
            "struct_item",
            "enum_item",
            "union_item",
            "trait_item",
            "impl_item",
            "mod_item",
            "type_item",
            "macro_definition",
        ),
        "imports": ("use_declaration", "extern_crate_declaration"),
        "assignments": ("assignment_expression", "compound_assignment_expr", "(let_declaration value: (_)) @_"),
        "literals": (
            "string_literal",
            "raw_string_literal",
            "char_literal",
            "integer_literal",
            "float_literal",
            "boolean_literal",
        ),
    },
    named={
        "raises": r"^(?:panic|unreachable|todo|unimplemented|bail|Err)$|(?:^|::)(?:process::(?:exit|abort)|panic_any)$",
        "handlers": r"(?:\.(?:map_err|or_else|unwrap_or\w*)|catch_unwind)$",
        "assertions": r"^(?:debug_)?assert(?:_\w+)?$|^ensure$|\.expect_err$",
    },
    comments=("line_comment", "block_comment"),
    strings=("string_literal", "raw_string_literal", "char_literal"),
    # Every string of Rust may span rows.
    long_strings=r'"',
    stray=r'"|//|/\*|\*\Z',
    suspect=r'"|\*/',
)
