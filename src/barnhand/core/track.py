"""One animal followed through the pictures of one stream."""

from dataclasses import dataclass
from math import isfinite

from barnhand.core.geometry import Floats


@dataclass(frozen=True, eq=False)
class Track:
    """The state of a track in one picture.

    ``track_id`` is unique within its stream and never reused; ``box`` is ``(4,)`` corner px; ``seen`` is false while the
    box is only predicted (occlusion); ``started_us`` is the wall time of its first detection; ``detection`` is the index
    of the detection it took in this picture, or ``None``.
    """

    track_id: int
    box: Floats
    score: float
    color: str
    seen: bool
    started_us: int
    last_seen_us: int
    detection: int | None = None

    def __post_init__(self) -> None:
        if self.box.shape != (4,):
            raise ValueError(f"a track's box is (4,), got {self.box.shape}")
        if not isfinite(sum(self.box.tolist())):  # a tenth of the time of numpy's, for four numbers
            raise ValueError("a track's box has a value that is not finite")
