"""C#."""

from oversight.changes.syntax.grammar import Grammar

GRAMMAR = Grammar(
    name="c-sharp",
    module="tree_sitter_c_sharp",
    categories={
        "calls": (
            "(invocation_expression function: (_) @_)",
            "(object_creation_expression type: (_) @_)",
            "(implicit_object_creation_expression) @_",
        ),
        "conditions": (
            "if_statement",
            "conditional_expression",
            "switch_section",
            "switch_expression_arm",
            "when_clause",
            '(binary_expression operator: ["&&" "||" "??"] @_)',
        ),
        "loops": ("for_statement", "foreach_statement", "while_statement", "do_statement"),
        "handlers": ("try_statement", "catch_clause", "finally_clause"),
        "raises": ("throw_statement", "throw_expression"),
        "returns": ("return_statement", "yield_statement"),
        "definitions": (
            "class_declaration",
            "struct_declaration",
            "interface_declaration",
            "enum_declaration",
            "record_declaration",
            "delegate_declaration",
            "method_declaration",
            "constructor_declaration",
            "destructor_declaration",
            "operator_declaration",
            "property_declaration",
            "local_function_statement",
        ),
        "imports": ("using_directive",),
        "assignments": ("assignment_expression", '(variable_declarator "=") @_'),
        "literals": (
            "string_literal",
            "verbatim_string_literal",
            "raw_string_literal",
            "interpolated_string_expression",
            "character_literal",
            "integer_literal",
            "real_literal",
            "boolean_literal",
            "null_literal",
        ),
    },
    named={
        "assertions": r"^(?:Assert|Debug|Trace|Contract|CollectionAssert|StringAssert)\.|\.Should$|\.Verify$",
        "raises": r"^(?:Environment\.(?:Exit|FailFast)|ThrowHelper\.\w+|\w+\.ThrowIf\w+)$",
    },
    strings=(
        "string_literal",
        "verbatim_string_literal",
        "raw_string_literal",
        "interpolated_string_expression",
        "character_literal",
    ),
    # A verbatim string spans rows and ends at any quote, so that an ordinary string may be the gap between two.
    long_strings=r'"',
    interpolations=("interpolation",),
    stray=r"[\"']|//|/\*|\*\Z",
    suspect=r'"|\*/|\{[^{}]*[(\[=]',
)
