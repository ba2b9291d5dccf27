"""From similarities to names: how sure, and one horse for one track.

The probability that a track is a horse is a logistic function of two figures: the similarity of the track's pictures to the
horse's looks, and its lead over the next horse. Names are then given to all tracks of a picture together (Hungarian
assignment on log-odds), so that no horse is in two places.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from barnhand.core.geometry import Floats

Bools = npt.NDArray[np.bool_]
IMPOSSIBLE = -1e6


@dataclass(frozen=True)
class Calibration:
    """How an embedding network's similarities are read; cosines, -1..1."""

    even: float = 0.62
    """Similarity at which same and different are equally likely."""
    spread: float = 0.05
    """Similarity that changes the odds by a factor of e."""
    lead: float = 0.05
    """Lead over the next horse that leaves the odds as they are."""
    lead_spread: float = 0.04
    """Lead that changes the odds by a factor of e."""
    same: float = 0.85
    """Similarity that two pictures of one horse typically have."""
    different: float = 0.35
    """Similarity that pictures of two horses typically have."""

    def __post_init__(self) -> None:
        if self.spread <= 0 or self.lead_spread <= 0:
            raise ValueError(f"a calibration's spreads are positive, got {self.spread} and {self.lead_spread}")

    @classmethod
    def of_distances(cls, distances: Mapping[str, Any]) -> "Calibration":
        """From an embedder's ``barnhand.distances``; what it does not say stays as it is by default.

        Understood are ``even`` and ``spread`` themselves, or ``same`` and ``different``, each ``{"mean", "std"}`` of
        held-out similarities: two normal distributions are as likely as one another where their standard scores are
        equal, and their log-likelihood ratio falls there by 1 within ``spread``.
        """
        if "even" in distances and "spread" in distances:
            return cls(even=float(distances["even"]), spread=float(distances["spread"]))
        same, different = distances.get("same"), distances.get("different")
        if not isinstance(same, Mapping) or not isinstance(different, Mapping):
            return cls()
        try:
            m1, s1 = float(same["mean"]), max(float(same["std"]), 1e-3)
            m0, s0 = float(different["mean"]), max(float(different["std"]), 1e-3)
        except (KeyError, TypeError, ValueError):
            return cls()
        if m1 <= m0:
            return cls()
        even = (m1 * s0 + m0 * s1) / (s0 + s1)
        slope = (m1 - even) / s1**2 + (even - m0) / s0**2
        spread = float(np.clip(1 / max(slope, 1e-6), 0.01, 0.2))
        lead = float(np.clip((m1 - m0) / 8, 0.02, 0.1))
        return cls(even=even, spread=spread, lead=lead, lead_spread=lead, same=m1, different=m0)

    def log_odds(self, similarity: Floats, lead: Floats) -> Floats:
        """Log-odds that it is that horse, elementwise; the lead alone never outweighs a poor similarity."""
        by_similarity = (similarity - self.even) / self.spread
        by_lead = np.clip((lead - self.lead) / self.lead_spread, -4.0, 2.0)
        return np.asarray(np.clip(by_similarity + by_lead, -12, 12), np.float32)


def leads(similarity: Floats) -> Floats:
    """How far each horse is ahead of the best other, ``(t, h)`` → ``(t, h)``; where there is no other, ahead of 0."""
    if similarity.shape[1] < 2:
        return similarity.copy()
    order = np.sort(similarity, axis=1)
    best, second = order[:, -1:], order[:, -2:-1]
    others = np.where(similarity >= best, second, best)
    return np.asarray(similarity - np.maximum(others, 0.0), np.float32)


def probability(log_odds: Floats) -> Floats:
    """Log-odds → 0..1."""
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)), np.float32)


def together(log_odds: Floats, allowed: Bools, least: float) -> dict[int, int]:
    """Track → horse so that no horse is given twice and the sum of log-odds above ``least`` is greatest.

    ``log_odds`` and ``allowed`` are ``(t, h)``; pairs below ``least`` (log-odds) or not allowed are never made.
    """
    if not log_odds.size:
        return {}
    gain = np.where(allowed & (log_odds >= least), log_odds - least + 1e-3, 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return {int(t): int(h) for t, h in zip(rows, columns, strict=True) if gain[t, h] > 0}
