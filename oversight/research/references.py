"""Configurations that everything is compared with: the vault has their predictions from the beginning."""

from __future__ import annotations

from oversight import methods
from oversight.experiment.choice import DEFAULT, HUMAN_ONLY
from oversight.research.model import Configuration

REFERENCES = {
    "default": Configuration(DEFAULT),
    "naive": Configuration(methods.PLAIN),
    "human_only": Configuration(HUMAN_ONLY),
}
"""By the name of the vault's series. The default is the method that people chose by hand."""
