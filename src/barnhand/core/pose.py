"""One horse's skeleton in one picture."""

from dataclasses import dataclass

import numpy as np

from barnhand.core.geometry import Floats
from barnhand.core.skeleton import load_skeleton


@dataclass(frozen=True, eq=False)
class Pose:
    """Points of one animal.

    ``points`` is ``(k, 2)`` float32 px of the full picture in the order of the skeleton; ``scores`` is ``(k,)`` float32,
    the calibrated probability that the point is visible where it is said to be.
    """

    skeleton: str
    points: Floats
    scores: Floats

    def __post_init__(self) -> None:
        count = len(load_skeleton(self.skeleton))
        if self.points.shape != (count, 2) or self.scores.shape != (count,):
            raise ValueError(
                f"a {self.skeleton} pose has points ({count}, 2) and scores ({count},), "
                f"got {self.points.shape} and {self.scores.shape}"
            )

    def point(self, name: str, least: float = 0.0) -> "tuple[float, float] | None":
        """``(x, y)`` px of a named point, or ``None`` when its score is below ``least``."""
        index = load_skeleton(self.skeleton).index(name)
        if self.scores[index] < least or not np.isfinite(self.points[index]).all():
            return None
        return float(self.points[index, 0]), float(self.points[index, 1])
