"""What comes back from Claude, as values: replies, what they used, and how they end."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from oversight.errors import OversightError

_Count = Annotated[NonNegativeInt, Field(strict=True, le=10**12)]  # more is no count, and fits into no column


class ClaudeError(OversightError):
    """The service refused for good: the key, the money, the model or the request."""


class UnavailableError(ClaudeError):
    """The service was overloaded or out of reach for longer than we wait; nothing was done, nothing has to be paid."""


class UncertainError(ClaudeError):
    """A request got lost: it may have been obeyed, and may have to be paid."""


class _Value(BaseModel):
    """Fields that we do not know are none of our business."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class CacheCreation(_Value):
    """Tokens written into the cache, by how long they stay there."""

    ephemeral_5m_input_tokens: _Count = 0
    ephemeral_1h_input_tokens: _Count = 0


class Usage(_Value):
    """Tokens that a reply is charged for. `input_tokens` are those that the cache has nothing to do with."""

    input_tokens: _Count
    output_tokens: _Count
    cache_read_input_tokens: _Count | None = None
    cache_creation_input_tokens: _Count | None = None
    cache_creation: CacheCreation | None = None

    @property
    def tokens(self) -> int:
        """All tokens, whatever they cost."""
        read, written = self.cache_read_input_tokens or 0, self.cache_creation_input_tokens or 0
        return self.input_tokens + self.output_tokens + read + written


class Reply(_Value):
    """A message of the model. `content` are its blocks, as JSON; `stop_reason` says why it ends."""

    model: str
    stop_reason: str | None
    content: list[dict[str, Any]]
    usage: Usage

    @property
    def text(self) -> str:
        """All text of the reply."""
        texts = (block.get("text") for block in self.content if block.get("type") == "text")
        return "".join(text for text in texts if isinstance(text, str))


class Result(_Value):
    """What became of one request of a batch: `kind` is succeeded, errored, canceled or expired."""

    custom_id: str
    kind: str
    reply: Reply | None = None


class Batch(_Value):
    """A batch of requests as the service tells of it."""

    id: str
    ended: bool
    size: int
