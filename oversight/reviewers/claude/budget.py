"""A cap that holds: nothing is asked unless the most that it can cost fits beside what is spent and what is open."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Budget:
    """Dollars and tokens, None where there is no cap. `held` is what open requests can cost at most, by key."""

    max_usd: float | None = None
    max_tokens: int | None = None
    usd: float = 0.0
    tokens: int = 0
    held: dict[str, tuple[float, int]] = field(default_factory=dict)

    def hold(self, key: str, most: tuple[float, int]) -> bool:
        """Set aside what a request can cost at most; False where that does not fit."""
        open_usd = sum(usd for usd, _ in self.held.values())
        open_tokens = sum(tokens for _, tokens in self.held.values())
        if self.max_usd is not None and self.usd + open_usd + most[0] > self.max_usd:
            return False
        if self.max_tokens is not None and self.tokens + open_tokens + most[1] > self.max_tokens:
            return False
        self.held[key] = most
        return True

    def spend(self, key: str, usd: float, tokens: int) -> None:
        """Count what a request has cost, in place of what was held for it."""
        self.held.pop(key, None)
        self.usd += usd
        self.tokens += tokens

    def release(self, key: str) -> None:
        """Give back what was held for a request that cost nothing."""
        self.held.pop(key, None)
