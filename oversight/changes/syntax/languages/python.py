"""Python."""

import keyword

from oversight.changes.syntax.grammar import Grammar

# Also what Python 2 let stand before a name, and the words that are keywords only in places.
_KEYWORDS = "|".join(sorted({*keyword.kwlist, *keyword.softkwlist, "print", "exec"}))

GRAMMAR = Grammar(
    name="python",
    module="tree_sitter_python",
    categories={
        "calls": ("(call function: (_) @_)", "(decorator (identifier) @_)", "(decorator (attribute) @_)"),
        "conditions": (
            "if_statement",
            "elif_clause",
            "if_clause",
            "conditional_expression",
            "case_clause",
            '(boolean_operator ["and" "or"] @_)',
        ),
        "loops": ("for_statement", "while_statement", "for_in_clause"),
        "handlers": ("try_statement", "except_clause", "finally_clause"),
        "raises": ("raise_statement",),
        "returns": ("return_statement", "yield"),
        "assertions": ("assert_statement",),
        "definitions": ("function_definition", "class_definition"),
        "imports": ("import_statement", "import_from_statement", "future_import_statement"),
        "assignments": ("assignment", "augmented_assignment", "named_expression"),
        "literals": ("string", "integer", "float", "true", "false", "none"),
    },
    named={"imports": r"^(?:__import__|importlib\.import_module)$", "assertions": r"^pytest\.(?:raises|fail|warns)$"},
    markers=("#",),
    strings=("string",),
    long_strings=r"\"\"\"|'''",
    interpolations=("interpolation",),
    stray=r"[\"'#]",
    # A string quoted with three quotes may have been open already; an f-string may run what is in its braces;
    # the coding cookie and the interpreter line mean something.
    suspect=r"\"\"\"|'''|\{[^{}]*[(\[=]|coding[:=]|^#!",
    prose=rf"^[^'\"#\\]*?\b(?!(?:{_KEYWORDS})\b)[A-Za-z]+ +(?!(?:{_KEYWORDS})\b)[A-Za-z]+\b",
    docstrings=(
        "(function_definition body: (block . (expression_statement . (string) @_ .)))",
        "(class_definition body: (block . (expression_statement . (string) @_ .)))",
    ),
    containers=("module", "block"),
)
