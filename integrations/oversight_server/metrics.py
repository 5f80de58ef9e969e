"""What Prometheus is told. `oversight_deliveries_total` and `oversight_reviews_total` are names that others rely on.

One registry a server, so that two of them in one process, as in tests, do not count together. Labels come from fixed
sets alone: nothing of a payload, and nobody's name, becomes one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

DeliveryOutcome: TypeAlias = Literal["accepted", "duplicate", "rejected"]

_DELIVERIES: tuple[DeliveryOutcome, ...] = ("accepted", "duplicate", "rejected")
_REVIEWS = ("scored", "unscored", "error", "superseded", "dead")
_ACCEPTING = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_REVIEWING = (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)

Gauges: TypeAlias = Mapping[str, tuple[str, float | None]]
"""Values by name, each with its description; None where the value is not known now."""


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._deliveries = Counter(
            "oversight_deliveries", "Webhook deliveries by what became of them.", ["outcome"], registry=self._registry
        )
        self._ignored = Counter(
            "oversight_deliveries_ignored",
            "Accepted deliveries of events that lead to nothing.",
            registry=self._registry,
        )
        self._unstored = Counter(
            "oversight_deliveries_unstored",
            "Signed deliveries answered 503, since they could not be kept: redeliver these.",
            registry=self._registry,
        )
        self._accepting = Histogram(
            "oversight_delivery_seconds",
            "From the first byte of an accepted delivery to its answer.",
            buckets=_ACCEPTING,
            registry=self._registry,
        )
        self._reviews = Counter("oversight_reviews", "Reviews by how they ended.", ["outcome"], registry=self._registry)
        self._reviewing = Histogram(
            "oversight_review_seconds", "How long reviews took.", buckets=_REVIEWING, registry=self._registry
        )
        for delivery in _DELIVERIES:
            self._deliveries.labels(delivery)
        for review in _REVIEWS:
            self._reviews.labels(review)

    def delivered(self, outcome: DeliveryOutcome, seconds: float | None = None) -> None:
        """Count a delivery; `seconds`: what it took to accept it."""
        self._deliveries.labels(outcome).inc()
        if seconds is not None:
            self._accepting.observe(seconds)

    def ignored(self) -> None:
        """Count an accepted delivery that leads to nothing."""
        self._ignored.inc()

    def unstored(self) -> None:
        """Count a signed delivery that could not be kept."""
        self._unstored.inc()

    def reviewed(self, outcome: str, seconds: float | None = None) -> None:
        """Count a review; `seconds`: what it took, None where none was computed."""
        self._reviews.labels(outcome).inc()
        if seconds is not None:
            self._reviewing.observe(seconds)

    def watch(self, gauges: Callable[[], Gauges]) -> None:
        """Ask `gauges` for values whenever Prometheus asks; it runs in a thread and may wait for the database."""
        self._registry.register(_Watched(gauges))

    def text(self) -> bytes:
        """Return everything in the format of Prometheus."""
        return generate_latest(self._registry)


class _Watched(Collector):
    def __init__(self, gauges: Callable[[], Gauges]) -> None:
        self._gauges = gauges

    def describe(self) -> list[Metric]:
        """Name nothing in advance: the names come with the values."""
        return []

    def collect(self) -> Iterator[Metric]:
        for name, (description, value) in self._gauges().items():
            if value is not None:
                yield GaugeMetricFamily(name, description, value=value)
