"""TypeScript with JSX: TypeScript's table on another parser."""

from dataclasses import replace

from oversight.changes.syntax.languages.typescript import GRAMMAR as _TYPESCRIPT

GRAMMAR = replace(_TYPESCRIPT, name="tsx", entry="language_tsx")
