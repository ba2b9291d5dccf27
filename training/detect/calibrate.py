"""Where 0.3 should lie: the shift of the scores at which false boxes become as rare as wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from training.detect.evaluate import Found
from training.detect.sets import Case


def false_scores(cases: Sequence[Case], found: Found) -> list[float]:
    """Scores of all boxes on pictures without a horse, highest first."""
    pooled = [s for case, (_, scores) in zip(cases, found, strict=True) if is_negative(case) for s in scores.tolist()]
    return sorted(pooled, reverse=True)


def is_negative(case: Case) -> bool:
    return not len(case.boxes) and not len(case.vague)


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def shift_for(cases: Sequence[Case], found: Found, rate: float, threshold: float = 0.3) -> float:
    """What to add to the scores' logits so that `rate` false boxes a negative picture reach `threshold`.

    `found` must come from a network exported without a shift.
    """
    negatives = sum(is_negative(case) for case in cases)
    if not negatives:
        raise ValueError("calibration needs pictures without a horse")
    scores = [*false_scores(cases, found), 1e-3]
    cut = scores[min(len(scores) - 1, math.floor(rate * negatives))]
    return logit(threshold) - logit(float(np.clip(cut + 1e-4, 1e-3, 1 - 1e-3)))
