"""What an agent can do: seven tools, their forms, and what each of them does. None of them is a shell, a file or a
network; none tells more than the records of the study that all researchers may read.

Claude is made to fill in the forms (strict tools), and is not trusted to have done so: what is of another form comes
back as an error that says how it has to be, and so does whatever the study refuses. Errors are ours to the last word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, ValidationError, WithJsonSchema

from oversight.errors import UsageError
from oversight.research import sandbox, space
from oversight.research.model import WRITTEN, Configuration, Proposal, Value
from oversight.research.proposers import Known
from oversight.research.proposers.claude import prompt
from oversight.reviewers.claude.client import structured

LONGEST_FINDING = prompt.ROW
"""Characters of a finding, or of the reason of a proposal."""

FINDINGS = 3
"""Findings that an agent may write in one round."""

_ROOM = 12_000  # bytes that one tool answers, roughly
_ROWS = 15  # of a leaderboard
_EXPERIMENT = re.compile(r"e\d{4,9}")
_MODULE = re.compile(r"_?[a-z][a-z_-]*")

Note = Callable[[str, str], None]
"""Writes a finding about an experiment, by its name, into the notebook; the same one twice is there once."""


class _Form(BaseModel):
    """Nothing but what is asked for, and nothing bent into shape."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ReadFindings(_Form):
    """Read the notebook of all researchers, newest entries first, as data. `newest`: how many, 1 to 100."""

    newest: int


class ReadLeaderboard(_Form):
    """Read what the vault has told so far, and the highest screens with their configurations, as data."""


class ReadMethod(_Form):
    """Read the source of a method of this package by its name, such as `residual-mixed`, of a helper such as `_rows`,
    or of a method that a researcher wrote, by the experiment, such as `e0012`.
    """

    name: str


class Setting(_Form):
    """A field, as `part.field`, and its value."""

    name: str
    value: float | int | str | bool | None


@lru_cache(maxsize=1)
def _parts() -> list[str]:
    return [*space.plain(), *space.arounds()]


_Part = Annotated[str, WithJsonSchema({"type": "string", "enum": _parts()})]
_PartOrWritten = Annotated[str, WithJsonSchema({"type": "string", "enum": [*_parts(), WRITTEN]})]


class ProposeConfiguration(_Form):
    """Propose methods of this package as this round's experiment. `why`: in a sentence or two, what you expect of it
    and what it would teach. The answer is the result, once the round has run.
    """

    parts: list[_Part]
    settings: list[Setting]
    why: str


class ProposeMethod(_Form):
    """Propose a method that you write as this round's experiment. `code` is a Python module that defines METHOD or
    AROUND, and stands in `parts` as `written`. It runs in the sandbox alone. `why` as for a configuration.
    """

    code: str
    parts: list[_PartOrWritten]
    settings: list[Setting]
    why: str


class WriteFinding(_Form):
    """Write into the notebook what an experiment has taught, by its name, such as `e0012`: for all researchers, and for
    people. Negative results belong there.
    """

    experiment: str
    text: str


class Conclude(_Form):
    """End your part for good, with what you learned in all: for the notebook."""

    learned: str


FORMS: Mapping[str, type[_Form]] = {
    "read_findings": ReadFindings,
    "read_leaderboard": ReadLeaderboard,
    "read_method": ReadMethod,
    "propose_configuration": ProposeConfiguration,
    "propose_method": ProposeMethod,
    "write_finding": WriteFinding,
    "conclude": Conclude,
}


class RefusedError(ValueError):
    """What the model is told of a call that cannot be obeyed, in words of ours."""


@dataclass(frozen=True)
class Concluded:
    """The agent's part has ended; `learned` is in the notebook."""

    learned: str


@lru_cache(maxsize=1)
def definitions() -> list[dict[str, Any]]:
    """Return the tools as the Messages API takes them."""
    return [
        {
            "name": name,
            "description": " ".join((form.__doc__ or "").split()),
            "strict": True,
            "input_schema": _schema(form),
        }
        for name, form in FORMS.items()
    ]


def _schema(form: type[_Form]) -> dict[str, Any]:
    schema: dict[str, Any] = structured(form)["schema"]
    schema.pop("description", None)  # it is the tool's
    return schema


@dataclass(frozen=True)
class Toolbox:
    """The tools of the agent called `name` in one round: what it knows, where its findings go, and how many of them it
    has written in this round.
    """

    name: str
    known: Known
    note: Note
    written: int

    def use(self, tool: str, given: object) -> str | Proposal | Concluded:
        """Return what a tool answers, a proposal, or that the agent has concluded. Raises `RefusedError`."""
        form = FORMS.get(tool)
        if form is None:
            raise RefusedError(f"there is no tool of that name: use one of {', '.join(FORMS)}")
        try:
            match form.model_validate(given):
                case ReadFindings(newest=newest):
                    return prompt.findings(self.known.findings[-min(max(newest, 1), 100) :], _ROOM)
                case ReadLeaderboard():
                    return prompt.leaderboard(self.known.results, _ROWS)
                case ReadMethod(name=name):
                    return self._source(name)
                case ProposeConfiguration(parts=parts, settings=settings, why=why):
                    return self._proposal(parts, settings, why, None)
                case ProposeMethod(code=code, parts=parts, settings=settings, why=why):
                    return self._proposal(parts, settings, why, code)
                case WriteFinding(experiment=experiment, text=text):
                    return self._find(experiment, text)
                case Conclude(learned=learned):
                    self._noted(self._newest(), learned)
                    return Concluded(learned)
        except ValidationError as error:
            raise RefusedError(_of_another_form(error)) from None
        except UsageError as error:
            raise RefusedError(f"{error.message}: {error.mend}") from None
        raise AssertionError(tool)

    def _source(self, name: str) -> str:
        """Return the source of a method of this package, or of a written one."""
        if _EXPERIMENT.fullmatch(name):
            code = next((one.configuration.code for one in self.known.results if one.experiment.name == name), None)
            if code is None:
                raise RefusedError("there is no written method of that experiment: see read_leaderboard")
            return prompt.source(name, code, _ROOM)
        path = files("oversight.methods").joinpath(f"{name.replace('-', '_')}.py")
        if not _MODULE.fullmatch(name) or not path.is_file():
            raise RefusedError(f"there is no method of that name: use one of {', '.join(_parts())}")
        return prompt.source(name, path.read_text(encoding="utf-8"), _ROOM)

    def _proposal(self, parts: Sequence[str], settings: Sequence[Setting], why: str, code: str | None) -> Proposal:
        if code is not None and sandbox.unavailable() is not None:
            raise RefusedError(
                "there is no sandbox on this machine, so that written methods are refused; propose a configuration"
            )
        values: dict[str, Value] = {one.name: one.value for one in settings}
        if len(values) < len(settings):
            raise RefusedError("a field is set twice: name each once")
        configuration = space.checked(Configuration("+".join(parts), values, code))
        if configuration.identity in self.known.taken:
            raise RefusedError("another researcher tries exactly this in this round: propose something else")
        for one in self.known.results:
            if one.configuration.identity == configuration.identity:
                raise RefusedError(f"exactly this was tried as {one.experiment.name}: propose something else")
        return Proposal(configuration, why[:LONGEST_FINDING])

    def _find(self, experiment: str, text: str) -> str:
        if experiment not in [one.experiment.name for one in self.known.results]:
            raise RefusedError("there is no experiment of that name in earlier rounds: name one such as e0012")
        if self.written >= FINDINGS:
            raise RefusedError(f"{FINDINGS} findings a round are enough: propose something")
        self._noted(experiment, text)
        return "It is in the notebook."

    def _noted(self, experiment: str, text: str) -> None:
        if not text.strip() or len(text) > LONGEST_FINDING:
            raise RefusedError(f"a finding has 1 to {LONGEST_FINDING} characters: shorten it")
        self.note(experiment, text)

    def _newest(self) -> str:
        """Return the experiment that concluding words stand with: the agent's last one, or else the last of all."""
        own = [one for one in self.known.results if one.experiment.researcher == self.name]
        return (own or self.known.results)[-1].experiment.name


def _of_another_form(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(step) for step in first["loc"] if isinstance(step, int) or str(step).isidentifier())
    return f"the call is not of the tool's form: {first['type']} at {where or 'the top'}"
