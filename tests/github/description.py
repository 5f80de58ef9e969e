"""GitHub's own description of its interface, which the double holds every request and every answer of its own against.

The description (OpenAPI 3.0) comes from npm: `npm ci --prefix tests/github`, as `make test` does where there is npm.
A request has to fit its operation, and may name nothing that the operation does not know: GitHub ignores a misspelled
field without a word. An answer of the double may leave out what no test needs, but may not contradict.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.github.exchange import Reply, Request

MODULES = Path(__file__).parent / "node_modules"
PUBLIC = "api.github.com"
# The oldest GHES of the package: what is sent has to be understood there as well.
GHES = "ghes-3.17"
# Not of REST: GraphQL has a schema of its own, archives are on another host, and logins are pages of their own.
OTHERS = frozenset({"/graphql", "/_archives/{id}", "/login/oauth/authorize", "/login/oauth/access_token"})

_JSON = "application/json"
_REFERENCE = "urn:github:"
_TEXTS = {"integer": int, "number": float, "boolean": {"true": True, "false": False}.__getitem__}
_BOUNDS = {"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties"}
_KEPT = frozenset({"type", "enum", "format", "pattern", "uniqueItems"} | _BOUNDS)
_formats = FormatChecker(formats=())


@_formats.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@cache
def description(name: str = PUBLIC) -> Description | None:
    """What one GitHub says of itself, read once; None where it is not installed."""
    path = MODULES / "@octokit" / "openapi" / "generated" / f"{name}.json"
    return Description(json.loads(path.read_bytes())) if path.exists() else None


class Description:
    """What a GitHub says of its operations. `document`: as it was published."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._validators: dict[tuple[int, bool], Draft202012Validator] = {}

    def operation(self, method: str, template: str) -> dict[str, Any]:
        """Raises AssertionError where there is none."""
        found = self.document["paths"].get(template, {}).get(method.lower())
        assert found is not None, f"GitHub knows no {method} {template}"
        return dict(found)

    def check_request(self, request: Request) -> None:
        """Raise AssertionError unless the description has a place for the request and for all that is in it."""
        if request.template in OTHERS:
            return
        operation = self.operation(request.method, request.template)
        parameters = {(p["in"], p["name"]): p for p in map(self.resolved, operation.get("parameters", []))}
        for place, given in (("path", request.variables), ("query", request.query)):
            for name, text in given.items():
                assert (place, name) in parameters, f"no parameter {name}"
                schema = self.resolved(parameters[place, name]["schema"])
                self._check(schema, _typed(text, schema), f"parameter {name}", strict=True)
        needed = [n for (place, n), p in parameters.items() if place == "query" and p.get("required")]
        assert request.query.keys() >= set(needed), f"of the parameters {needed} some are missing"
        body = operation.get("requestBody")
        assert body is not None or request.body is None, "a body where none is expected"
        if body is not None and (request.body is not None or body.get("required")):
            self._check(body["content"][_JSON]["schema"], request.body, "body", strict=True)

    def check_reply(self, request: Request, reply: Reply) -> None:
        """Raise AssertionError where an answer of the double contradicts what GitHub says that it answers."""
        if request.template in OTHERS:
            return
        operation = self.operation(request.method, request.template)
        found = operation["responses"].get(str(reply.status))
        assert found is not None, f"GitHub never answers {reply.status} here"
        content = self.resolved(found).get("content", {})
        if _JSON not in content or isinstance(reply.body, bytes):
            return
        self._check(content[_JSON]["schema"], reply.body, "answer", strict=False)

    def resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        """Follow a `$ref` of the description, or several."""
        while "$ref" in node:
            found: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def part(self, operations: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """A description of some operations, (method, template) each, with all that they refer to and nothing else."""
        paths: dict[str, Any] = defaultdict(dict)
        for method, template in operations:
            paths[template][method.lower()] = self.operation(method, template)
        components: dict[str, Any] = defaultdict(dict)
        waiting: list[Any] = [paths]
        while waiting:
            for kind, name in _references(waiting.pop()):
                if name not in components[kind]:
                    components[kind][name] = self.document["components"][kind][name]
                    waiting.append(components[kind][name])
        head = {name: self.document[name] for name in ("openapi", "info")}
        return {**head, "paths": paths, "components": components}

    def _check(self, schema: dict[str, Any], value: object, what: str, *, strict: bool) -> None:
        # Schemas are parts of the document and live as long as it does.
        key = (id(schema), strict)
        if key not in self._validators:
            self._validators[key] = self._validator(schema, strict=strict)
        errors = [f"{error.json_path}: {_short(error.message)}" for error in self._validators[key].iter_errors(value)]
        assert not errors, f"{what}: {'; '.join(errors[:3])}"

    def _validator(self, schema: dict[str, Any], *, strict: bool) -> Draft202012Validator:
        """A validator of `schema`, whose references are looked up in the description when they are met."""

        def retrieve(reference: str) -> Resource[Any]:
            target = self.resolved({"$ref": reference.removeprefix(_REFERENCE)})
            return Resource(contents=_json_schema(target, strict=strict), specification=DRAFT202012)

        registry: Registry[Any] = Registry(retrieve=retrieve)  # type: ignore[call-arg]  # attrs' alias
        return Draft202012Validator(_json_schema(schema, strict=strict), registry=registry, format_checker=_formats)


def _json_schema(node: dict[str, Any], *, strict: bool, branch: bool = False) -> dict[str, Any]:
    """Turn a schema of OpenAPI 3.0 into JSON Schema: `strict` refuses what has no name in it, else nothing is required.

    `branch`: one of several that judge the same value, so that none of them can say what is unknown.
    """
    changed: dict[str, Any] = {key: node[key] for key in _KEPT & node.keys()}
    if strict and "required" in node:
        changed["required"] = node["required"]
    if "$ref" in node:
        changed["$ref"] = _REFERENCE + node["$ref"].removeprefix("#/")
    if "properties" in node:
        changed["properties"] = {k: _json_schema(v, strict=strict) for k, v in node["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            changed[key] = _json_schema(node[key], strict=strict)
    for key, to in (("allOf", "allOf"), ("anyOf", "anyOf"), ("oneOf", "anyOf")):
        # Where GitHub's alternatives overlap that is no mistake of a request.
        if key in node:
            changed[to] = [_json_schema(one, strict=strict, branch=True) for one in node[key]]
    if strict and not branch and changed.keys() & {"properties", "allOf", "anyOf"}:
        changed["unevaluatedProperties"] = False
    return {"anyOf": [{"type": "null"}, changed]} if node.get("nullable") else changed


def _references(node: Any) -> Iterator[tuple[str, str]]:
    """Yield what a part of the description refers to: the kind of component, and its name."""
    if isinstance(node, dict) and isinstance(node.get("$ref"), str):
        _, _, kind, name = node["$ref"].split("/")
        yield kind, name
    elif isinstance(node, dict | list):
        for inner in node.values() if isinstance(node, dict) else node:
            yield from _references(inner)


def _short(message: str) -> str:
    """A message without the middle: it begins with the value and ends with what is wrong with it."""
    return message if len(message) < 300 else f"{message[:150]} … {message[-140:]}"


def _typed(text: str, schema: dict[str, Any]) -> object:
    """A parameter's text as the value that it stands for, itself where it stands for none."""
    try:
        return _TEXTS[schema["type"]](text)
    except (KeyError, ValueError):
        return text
