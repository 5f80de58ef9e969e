"""What the Messages API refuses, as its documentation says it: used by the stub on every request that a test makes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

_MESSAGE_KEYS = {
    "model", "max_tokens", "messages", "system", "output_config", "tools", "tool_choice", "metadata",
    "stop_sequences", "thinking", "service_tier",
}  # fmt: skip
_SCHEMA_KEYS = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "allOf", "$ref",
    "$defs", "description", "title", "format", "minItems",
}  # fmt: skip
_BLOCK_KEYS = {
    "text": {"type", "text", "citations", "cache_control"},
    "thinking": {"type", "thinking", "signature"},
    "tool_use": {"type", "id", "name", "input", "caller", "cache_control"},
    "tool_result": {"type", "tool_use_id", "content", "is_error", "cache_control"},
}
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_KEPT = ({"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}, {"type": "ephemeral", "ttl": "5m"})
_TOOL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_BREAKPOINTS = 4

Block = dict[str, Any]


def wrong(params: dict[str, Any]) -> str | None:
    """Say what the service would refuse, None where it would not."""
    return next(_wrong(params), None)


def _wrong(params: dict[str, Any]) -> Iterator[str]:
    if unknown := set(params) - _MESSAGE_KEYS:
        yield f"unknown fields of a message: {', '.join(sorted(unknown))}"
    if not isinstance(params.get("model"), str) or not isinstance(params.get("max_tokens"), int):
        yield "a message names a model and max_tokens"
    system = params.get("system", [])
    for block in system if isinstance(system, list) else []:
        if set(block) - {"type", "text", "cache_control"} or block["type"] != "text":
            yield "a system prompt is text"
    output = params.get("output_config", {})
    if set(output) - {"format", "effort"} or output.get("effort", "low") not in _EFFORTS:
        yield "output_config has a format and an effort"
    form = output.get("format")
    if form is not None:
        if set(form) != {"type", "schema"} or form["type"] != "json_schema":
            yield "a format is a json_schema"
        yield from _wrong_schema(form["schema"], form["schema"])
    yield from _wrong_tools(params)
    yield from _wrong_turns(params)
    yield from _wrong_caching(params)


def _wrong_schema(schema: dict[str, Any], whole: dict[str, Any]) -> Iterator[str]:
    if unknown := set(schema) - _SCHEMA_KEYS:
        yield f"a schema has no {', '.join(sorted(unknown))}"
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        yield "objects of a schema take no additional properties"
    if "$ref" in schema and schema["$ref"].removeprefix("#/$defs/") not in whole.get("$defs", {}):
        yield "a $ref of a schema leads nowhere"
    if set(schema.get("required", ())) - set(schema.get("properties", {})):
        yield "what is required is a property"
    for part in (*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", ())):
        yield from _wrong_schema(part, whole)
    if "items" in schema:
        yield from _wrong_schema(schema["items"], whole)


def _wrong_tools(params: dict[str, Any]) -> Iterator[str]:
    tools = params.get("tools", [])
    names = [tool.get("name") for tool in tools]
    if len(set(names)) < len(names) or not all(isinstance(name, str) and _TOOL.fullmatch(name) for name in names):
        yield "tools have names of at most 64 letters, each once"
    for tool in tools:
        if set(tool) - {"name", "description", "strict", "input_schema", "cache_control"}:
            yield "a tool has a name, a description and an input_schema"
        if tool["input_schema"].get("type") != "object":
            yield "the input of a tool is an object"
        if tool.get("strict"):
            yield from _wrong_schema(tool["input_schema"], tool["input_schema"])
    choice = params.get("tool_choice")
    if choice is not None and (
        not tools
        or set(choice) - {"type", "disable_parallel_tool_use"}
        or choice["type"] not in ("auto", "any", "none")
    ):
        yield "tool_choice is auto, any or none, and there are tools"


def _wrong_turns(params: dict[str, Any]) -> Iterator[str]:
    """What is called is answered in the next message, before anything else, and nothing else is."""
    messages = params.get("messages", [])
    roles = [message.get("role") for message in messages]
    if not roles or roles[0] != "user" or not set(roles) <= {"user", "assistant"}:
        yield "messages begin with the user's"
        return
    if roles[-1] != "user":
        yield "the last message is the user's: nothing is to be gone on with"
    called: list[str] = []
    for message in messages:
        if set(message) != {"role", "content"}:
            yield "a message has a role and content"
        content = _blocks(message["content"])
        if any(set(block) - _BLOCK_KEYS.get(block["type"], set()) for block in content):
            yield "a block of a message is of no known form"
        if not content or any(block["type"] == "text" and not block["text"] for block in content):
            yield "messages and texts are not empty"
        answered = [block["tool_use_id"] for block in content if block["type"] == "tool_result"]
        if sorted(answered) != sorted(called) or any(
            block["type"] != "tool_result" for block in content[: len(answered)]
        ):
            yield "every tool_use is answered by a tool_result at the beginning of the next message, and by one alone"
        called = [block["id"] for block in content if block["type"] == "tool_use"]
        if called and (message["role"] != "assistant" or not params.get("tools")):
            yield "a tool_use is the assistant's, and there are tools"


def _wrong_caching(params: dict[str, Any]) -> Iterator[str]:
    system = params.get("system", [])
    blocks = [*_blocks(system), *params.get("tools", [])]
    blocks += [block for message in params.get("messages", []) for block in _blocks(message["content"])]
    kept = [block["cache_control"] for block in blocks if "cache_control" in block]
    if len(kept) > _BREAKPOINTS or any(one not in _KEPT for one in kept):
        yield "cache_control is ephemeral, for 5m or 1h, and stands in four places at most"


def _blocks(content: str | Sequence[Block]) -> list[Block]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
