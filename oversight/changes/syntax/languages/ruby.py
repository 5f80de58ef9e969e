"""Ruby."""

from oversight.changes.syntax.grammar import Grammar

GRAMMAR = Grammar(
    name="ruby",
    module="tree_sitter_ruby",
    categories={
        "calls": ("(call method: (_) @_)", "super"),
        "conditions": (
            "if",
            "unless",
            "elsif",
            "if_modifier",
            "unless_modifier",
            "conditional",
            "when",
            "in_clause",
            '(binary operator: ["&&" "||" "and" "or"] @_)',
        ),
        "loops": ("while", "until", "for", "while_modifier", "until_modifier"),
        "handlers": ("rescue", "ensure", "rescue_modifier"),
        "returns": ("return", "yield"),
        "definitions": ("method", "singleton_method", "class", "module", "singleton_class"),
        "assignments": ("assignment", "operator_assignment"),
        "literals": (
            "string",
            "heredoc_beginning",
            "simple_symbol",
            "delimited_symbol",
            "regex",
            "integer",
            "float",
            "true",
            "false",
            "nil",
            "string_array",
            "symbol_array",
        ),
    },
    named={
        "raises": r"^(?:raise|fail|throw|abort|exit!?)$",
        "loops": r"^(?:each\w*|loop|times|upto|downto|step)$",
        "imports": r"^(?:require|require_relative|load|autoload|include|extend|prepend)$",
        "definitions": r"^(?:define_method|attr_(?:reader|writer|accessor))$",
        "assertions": r"^(?:must_\w+|wont_\w+|refute\w*|expect\w*|is_expected|flunk)$",
    },
    markers=("#",),
    strings=("string", "character", "regex", "subshell"),
    # Every string of Ruby may span rows, and a heredoc may end at any word.
    long_strings=r"[\"'`/%]|\?",
    interpolations=("interpolation",),
    stray=r"[\"'`#/%?]|<<",
    suspect=r"[\"'`]|#\{|coding[:=]|frozen_string_literal|^#!|^=",
)
