"""A cap that holds: nothing is asked unless the most that it can cost fits beside what is spent and what is open."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Budget:
    """Dollars and tokens, None where there is no cap. `usd` and `tokens` are what was spent."""

    max_usd: float | None = None
    max_tokens: int | None = None
    usd: float = 0.0
    tokens: int = 0
    _held: dict[str, tuple[float, int]] = field(default_factory=dict)
    _open_usd: float = 0.0
    _open_tokens: int = 0

    @property
    def open(self) -> int:
        """How many requests something is held for."""
        return len(self._held)

    def hold(self, key: str, most: tuple[float, int], *, anyway: bool = False) -> bool:
        """Set aside what a request can cost at most; False where that does not fit, unless it is under way `anyway`."""
        usd, tokens = self.usd + self._open_usd + most[0], self.tokens + self._open_tokens + most[1]
        fits = (self.max_usd is None or usd <= self.max_usd) and (self.max_tokens is None or tokens <= self.max_tokens)
        if fits or anyway:
            self.release(key)
            self._held[key] = most
            self._open_usd += most[0]
            self._open_tokens += most[1]
        return fits

    def spend(self, key: str, usd: float, tokens: int) -> None:
        """Count what a request has cost, in place of what was held for it."""
        self.release(key)
        self.usd += usd
        self.tokens += tokens

    def release(self, key: str) -> None:
        """Give back what was held for a request."""
        usd, tokens = self._held.pop(key, (0.0, 0))
        self._open_usd = self._open_usd - usd if self._held else 0.0
        self._open_tokens -= tokens


def dollars(amount: float) -> str:
    """Return an amount for people, small ones to a hundredth of a cent.

    >>> dollars(1234.5), dollars(0.0312), dollars(0)
    ('$1,234.50', '$0.0312', '$0.00')
    """
    return f"${amount:,.2f}" if amount >= 1 or not amount else f"${amount:,.4f}"
