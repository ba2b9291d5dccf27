"""What a track's pictures say about who it is: the best few, not the last one."""

from dataclasses import dataclass, field

import numpy as np

from barnhand.core.geometry import Floats
from barnhand.core.time import SECOND_US


@dataclass(frozen=True, eq=False)
class Glimpse:
    """One picture of a track: ``vector`` is a unit row, ``quality`` in 0..1 says how well the horse shows."""

    track_id: int
    vector: Floats
    quality: float
    kind: str


@dataclass
class Evidence:
    """A track's best glimpses so far and what was decided on them.

    Glimpses nearer than ``apart_s`` in time count once, the better one: ten pictures of one moment are one witness.
    ``lane`` is that of ``Gallery.identify``.
    """

    limit: int
    apart_s: float
    lane: str = ""
    glimpses: list[tuple[int, Glimpse]] = field(default_factory=list)
    taken: int = 0
    first_us: int = 0
    last_us: int = 0
    horse_id: str | None = None
    founder: bool = False
    refused: set[str] = field(default_factory=set)
    similarities: Floats | None = None
    revision: int = -1

    def add(self, wall_us: int, glimpse: Glimpse) -> None:
        """Take a glimpse in, or leave it when there are enough better ones."""
        self.first_us = self.first_us or wall_us
        near = next((k for k, (at, _) in enumerate(self.glimpses) if abs(wall_us - at) < self.apart_s * SECOND_US), None)
        if near is None:
            self.taken += 1
            self.glimpses.append((wall_us, glimpse))
            if len(self.glimpses) > self.limit:
                worst = min(range(len(self.glimpses)), key=lambda k: self.glimpses[k][1].quality)
                del self.glimpses[worst]
        elif glimpse.quality > self.glimpses[near][1].quality:
            self.glimpses[near] = (self.glimpses[near][0], glimpse)
        else:
            return
        self.similarities = None

    @property
    def vectors(self) -> Floats:
        """``(n, d)`` unit rows."""
        return np.stack([glimpse.vector for _, glimpse in self.glimpses])

    @property
    def weights(self) -> Floats:
        """``(n,)``, sum 1: better glimpses count more."""
        quality = np.array([max(glimpse.quality, 1e-3) for _, glimpse in self.glimpses], np.float32)
        return np.asarray(quality / quality.sum(), np.float32)

    @property
    def seconds(self) -> float:
        """Time from the first glimpse kept to the last."""
        moments = [at for at, _ in self.glimpses]
        return (max(moments) - min(moments)) / SECOND_US if moments else 0.0
