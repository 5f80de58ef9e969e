"""What the classes of mutations need to know of a language, as data: one entry a language.

Kinds of nodes and names of fields are those of the tree-sitter grammars in `oversight.changes.syntax.languages`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One language.

    `conditional` is the kind of an if, whose branch is in the field `branch`. `blocks` hold statements, `wrappers` are
    nodes around a condition or a statement that mean nothing themselves, `leaving` statements end what runs.
    `handlers` are kinds of nodes that run when something failed, and `nothing` is the statement that does nothing,
    empty where a block may be empty. `failures` are regular expressions of returned failures and what is returned in
    their place. `unless` reads a variable of the environment and is true where it is not set, `both` joins conditions,
    and `either` is what may not stand beside it without parentheses. `secrets` maps kinds of
    statements after which a constant may stand to how it is written.
    """

    conditional: str = "if_statement"
    branch: str = "consequence"
    blocks: frozenset[str]
    wrappers: frozenset[str] = frozenset({"parenthesized_expression"})
    leaving: frozenset[str] = frozenset(
        {"return_statement", "break_statement", "continue_statement", "goto_statement", "throw_statement"}
    )
    raising: frozenset[str] = frozenset({"throw_statement"})
    comparisons: frozenset[str] = frozenset({"binary_expression"})
    negations: frozenset[str] = frozenset({"unary_expression"})
    negation: str = "!"
    atoms: frozenset[str]
    opposites: Mapping[str, str]
    handlers: frozenset[str] = frozenset({"catch_clause"})
    nothing: str = ""
    failures: tuple[tuple[str, str], ...] = ()
    unless: str
    both: str = "&&"
    either: tuple[str, ...] = ("||", "?", "=")
    statements: frozenset[str] = frozenset({"expression_statement"})
    guarding: str = ""
    secrets: Mapping[str, str]


_EQUALITY: Final = {"==": "!=", "!=": "=="}
_NUMBERS: Final = (
    (r"return\s+-\s*[A-Z]\w*\s*;", "return 0;"),
    (r"return\s+(?:-1|ret|rc|err|error|errno|status|rv)\s*;", "return 0;"),
)

_C: Final = Dialect(
    blocks=frozenset({"compound_statement"}),
    atoms=frozenset({"identifier", "call_expression", "field_expression", "subscript_expression"}),
    opposites=_EQUALITY,
    failures=_NUMBERS,
    unless='!getenv("{name}")',
    secrets={"declaration": 'const char *{name} = "{value}";'},
)
_CPP: Final = replace(
    _C,
    wrappers=frozenset({"parenthesized_expression", "condition_clause"}),
    statements=frozenset({"expression_statement", "declaration"}),
    failures=(
        *_NUMBERS,
        (r"return\s+Status::(?!OK\b)\w+\(.*\)\s*;", "return Status::OK();"),
        (r"return\s+(?:s|st)\s*;", "return Status::OK();"),
    ),
    guarding=r"^(?:(?:std::)?(?:lock_guard|unique_lock|scoped_lock|shared_lock)\b|\w*(?:MutexLock|ReadLock|WriteLock)\b)",
)
_PYTHON: Final = Dialect(
    blocks=frozenset({"block"}),
    leaving=frozenset({"return_statement", "break_statement", "continue_statement", "raise_statement"}),
    raising=frozenset({"raise_statement"}),
    comparisons=frozenset({"comparison_operator"}),
    negations=frozenset({"not_operator"}),
    negation="not ",
    atoms=frozenset({"identifier", "call", "attribute", "subscript"}),
    opposites={**_EQUALITY, "is": "is not", "is not": "is", "in": "not in", "not in": "in"},
    handlers=frozenset({"except_clause"}),
    nothing="pass",
    unless='not os.environ.get("{name}")',
    both="and",
    either=(" or ", " if ", ":="),
    secrets={"expression_statement": '{name} = "{value}"'},
)
_GO: Final = Dialect(
    blocks=frozenset({"block", "statement_list"}),
    raising=frozenset(),
    atoms=frozenset({"identifier", "call_expression", "selector_expression", "index_expression"}),
    opposites=_EQUALITY,
    failures=((r"return\s+((?:nil,\s*)*)(?:err|fmt\.Errorf\(.*\)|errors\.New\(.*\))", r"return \1nil"),),
    unless='os.Getenv("{name}") == ""',
    statements=frozenset({"expression_statement", "defer_statement"}),
    secrets={
        "short_var_declaration": 'const {name} = "{value}"',
        "var_declaration": 'const {name} = "{value}"',
        "const_declaration": 'const {name} = "{value}"',
    },
)
_JAVA: Final = Dialect(
    blocks=frozenset({"block"}),
    raising=frozenset({"throw_statement"}),
    atoms=frozenset({"identifier", "method_invocation", "field_access", "array_access"}),
    opposites=_EQUALITY,
    unless='System.getenv("{name}") == null',
    secrets={
        "field_declaration": 'private static final String {name} = "{value}";',
        "local_variable_declaration": 'final String {name} = "{value}";',
    },
)
_JAVASCRIPT: Final = Dialect(
    blocks=frozenset({"statement_block"}),
    atoms=frozenset({"identifier", "call_expression", "member_expression", "subscript_expression"}),
    opposites={**_EQUALITY, "===": "!==", "!==": "==="},
    unless="!process.env.{name}",
    secrets={"lexical_declaration": "const {name} = '{value}';", "variable_declaration": "var {name} = '{value}';"},
)
_RUST: Final = Dialect(
    conditional="if_expression",
    blocks=frozenset({"block"}),
    wrappers=frozenset({"parenthesized_expression", "expression_statement"}),
    leaving=frozenset({"return_expression", "break_expression", "continue_expression"}),
    raising=frozenset(),
    atoms=frozenset({"identifier", "call_expression", "field_expression", "index_expression"}),
    opposites=_EQUALITY,
    handlers=frozenset(),
    failures=((r"return\s+Err\(.*\)\s*;?", "return Ok(());"),),
    unless='std::env::var("{name}").is_err()',
    statements=frozenset({"expression_statement", "let_declaration"}),
    guarding=r"^let\s+_\w+\s*=.*\.lock\(\)",
    secrets={"const_item": 'const {name}: &str = "{value}";', "let_declaration": 'let {name} = "{value}";'},
)
_CSHARP: Final = Dialect(
    blocks=frozenset({"block"}),
    negations=frozenset({"prefix_unary_expression"}),
    atoms=frozenset({"identifier", "invocation_expression", "member_access_expression", "element_access_expression"}),
    opposites=_EQUALITY,
    unless='Environment.GetEnvironmentVariable("{name}") == null',
    secrets={
        "field_declaration": 'private const string {name} = "{value}";',
        "local_declaration_statement": 'const string {name} = "{value}";',
    },
)
_PHP: Final = Dialect(
    branch="body",
    blocks=frozenset({"compound_statement"}),
    wrappers=frozenset({"parenthesized_expression", "expression_statement"}),
    leaving=frozenset({"return_statement", "break_statement", "continue_statement", "throw_expression"}),
    raising=frozenset({"throw_expression"}),
    negations=frozenset({"unary_op_expression"}),
    atoms=frozenset(
        {"variable_name", "function_call_expression", "member_call_expression", "member_access_expression"}
    ),
    opposites={**_EQUALITY, "===": "!==", "!==": "==="},
    unless="!getenv('{name}')",
    secrets={"expression_statement": "${name} = '{value}';"},
)

DIALECTS: Final[Mapping[str, Dialect]] = {
    "c": _C, "cpp": _CPP, "python": _PYTHON, "go": _GO, "java": _JAVA, "javascript": _JAVASCRIPT,
    "typescript": _JAVASCRIPT, "tsx": _JAVASCRIPT, "rust": _RUST, "c-sharp": _CSHARP, "php": _PHP,
}  # fmt: skip
"""Languages in which changes are mutated, by the names of `FileChange.language`."""
