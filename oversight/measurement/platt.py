"""From logits to probabilities: Platt scaling, the one thing here that is fitted.

A sigmoid of two parameters is what a few dozen positives can bear; isotonic regression over-fits there.
Targets are smoothed as in Platt 1999, "Probabilistic outputs for support vector machines", with the Newton
iteration of Lin, Lin and Weng 2007 (Machine Learning 68:267-276).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def sigmoid(logits: NDArray[np.floating]) -> Floats:
    """Return 1 / (1 + exp(-x)) without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(logits, dtype=np.float64))))


def logit(probabilities: NDArray[np.floating] | float) -> Floats:
    """Return log(p / (1 - p)), with p kept 1e-6 away from 0 and 1."""
    clipped = np.clip(np.asarray(probabilities, dtype=np.float64), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


@dataclass(frozen=True, slots=True)
class Platt:
    """probability = sigmoid(slope * logit + intercept). The slope is positive: calibration never reorders."""

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, logits: NDArray[np.floating]) -> Floats:
        """Return calibrated probabilities, shape of `logits`."""
        return sigmoid(self.slope * np.asarray(logits, dtype=np.float64) + self.intercept)

    def inverse(self, probabilities: NDArray[np.floating]) -> Floats:
        """Return the logits that these probabilities came from."""
        return np.asarray((logit(probabilities) - self.intercept) / self.slope)


UNCALIBRATED = Platt()
"""The logits as they are."""


def fit_platt(logits: NDArray[np.floating], labels: ArrayLike, weights: ArrayLike | None = None) -> Platt:
    """Fit on logits (N,) and labels (N,) in [0, 1], hard or soft; `weights` (N,) count rows more or less.

    With one class alone the labels say nothing about the slope, which then stays 1. A slope that comes out at or
    below .05 (the logits do not order these labels) is held there.
    """
    x = np.asarray(logits, dtype=np.float64)
    mass = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
    risky = np.asarray(labels, dtype=np.float64)
    positive = float((mass * risky).sum())
    negative = float(mass.sum()) - positive
    high, low = (positive + 1) / (positive + 2), 1 / (negative + 2)
    targets = low + (high - low) * risky
    prior = float(logit((positive + 1) / (positive + negative + 2)))
    if min(positive, negative) < 1:
        return Platt(1.0, prior - float(np.average(x, weights=mass)) if x.size else prior)
    slope, intercept = _newton(x, targets, mass, prior)
    if slope < _LEAST_SLOPE:
        return Platt(_LEAST_SLOPE, prior - _LEAST_SLOPE * float(np.average(x, weights=mass)))
    return Platt(slope, intercept)


_LEAST_SLOPE = 0.05


def _newton(x: Floats, targets: Floats, mass: Floats, prior: float) -> tuple[float, float]:
    """Minimise the weighted log loss over (slope, intercept), halving steps that do not lower it."""
    theta = np.array([0.0, prior])
    design = np.stack((x, np.ones_like(x)), axis=1)

    def loss(parameters: Floats) -> float:
        z = design @ parameters
        return float((mass * (np.logaddexp(0, z) - targets * z)).sum())

    current = loss(theta)
    for _ in range(100):
        p = sigmoid(design @ theta)
        gradient = design.T @ (mass * (p - targets))
        hessian = (design * (mass * p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-6 and loss(theta - size * step) > current:
            size /= 2
        if size <= 1e-6:
            break
        theta = theta - size * step
        improved, current = current, loss(theta)
        if improved - current < 1e-10 * max(1.0, abs(improved)):
            break
    return float(theta[0]), float(theta[1])
