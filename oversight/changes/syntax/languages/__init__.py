"""One module a language: `<name with - as _>.py` holds a `GRAMMAR` of `oversight.changes.syntax.grammar.Grammar`.

A module here is data. Adding a language is one new file, the wheel in `pyproject.toml`, and the file
suffixes in `oversight.changes.languages`; no logic names a language.
"""
