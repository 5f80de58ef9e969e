"""Do those who label agree beyond chance?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from oversight.errors import LabelError
from oversight.measurement.arrays import Measured


def krippendorff_alpha(ratings: ArrayLike) -> Measured:
    """Krippendorff's alpha for nominal values (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability").

    `ratings` (raters, changes) holds any numbers as categories and NaN where a rater gave none. 1 is perfect
    agreement, 0 what chance gives, below 0 worse than chance. Changes with fewer than two ratings say nothing and
    are left out. `n` of the result counts the changes that were used, `positives` is 0: categories are not classes.
    """
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2:
        raise LabelError(f"ratings have shape {table.shape}", mend="pass one row a rater and one column a change")
    categories = np.unique(table[~np.isnan(table)])
    votes = (
        np.stack([(table == category).sum(axis=0) for category in categories], axis=1, dtype=np.float64)
        if (categories.size)
        else np.zeros((table.shape[1], 0))
    )
    raters = votes.sum(axis=1)
    votes, raters = votes[raters >= 2], raters[raters >= 2]
    if raters.size == 0:
        return Measured(None, "no change has two ratings", 0, 0)
    totals = votes.sum(axis=0)
    pairable = totals.sum()
    expected = pairable * pairable - (totals * totals).sum()
    if expected == 0:
        return Measured(None, "all ratings are the same", int(raters.size), 0)
    disagreeing = ((raters * raters - (votes * votes).sum(axis=1)) / (raters - 1)).sum()
    return Measured(float(1.0 - (pairable - 1) * disagreeing / expected), None, int(raters.size), 0)
