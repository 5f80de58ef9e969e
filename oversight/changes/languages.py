"""Which language a path is written in, by its name alone."""

from __future__ import annotations

_BY_SUFFIX = {
    ".py": "python", ".pyi": "python", ".pyw": "python",
    ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascript",
    ".ts": "typescript", ".mts": "typescript", ".cts": "typescript",
    ".tsx": "tsx",
    ".java": "java",
    ".go": "go",
    ".rs": "rust",
    ".c": "c", ".h": "c",
    ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".inl": "cpp", ".cu": "cpp",
    ".hh": "cpp", ".hpp": "cpp", ".hxx": "cpp", ".cuh": "cpp",
    ".rb": "ruby", ".rake": "ruby", ".gemspec": "ruby",
    ".php": "php",
    ".cs": "c-sharp",
    ".sh": "bash", ".bash": "bash",
}  # fmt: skip

_BY_NAME = {"Rakefile": "ruby", "Gemfile": "ruby", "SConstruct": "python", "SConscript": "python"}

LANGUAGES: tuple[str, ...] = tuple(sorted(set(_BY_SUFFIX.values())))
"""Every language that has a grammar, by the name that `FileChange.language` carries."""


def language_of(path: str) -> str | None:
    """Return the language of `path`, or None where no grammar is shipped for it.

    >>> language_of("src/app.tsx"), language_of("README.md")
    ('tsx', None)
    """
    name = path.rpartition("/")[2]
    dot = name.rfind(".")
    return _BY_NAME.get(name) or (_BY_SUFFIX.get(name[dot:].lower()) if dot > 0 else None)
