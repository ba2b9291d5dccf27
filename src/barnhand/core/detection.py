"""Where the horses are in one picture."""

from dataclasses import dataclass

import numpy as np

from barnhand.core.geometry import Floats


@dataclass(frozen=True, eq=False)
class Detections:
    """Horse boxes of one picture, best first not required.

    ``boxes`` is ``(n, 4)`` float32 corner boxes in px of the full picture; ``scores`` is ``(n,)`` float32 in 0..1.
    """

    boxes: Floats
    scores: Floats

    def __post_init__(self) -> None:
        if self.boxes.ndim != 2 or self.boxes.shape[1] != 4:
            raise ValueError(f"detection boxes are (n, 4), got {self.boxes.shape}")
        if self.scores.shape != (len(self.boxes),):
            raise ValueError(f"detection scores are ({len(self.boxes)},), got {self.scores.shape}")

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, keep: "slice | np.ndarray[tuple[int, ...], np.dtype[np.int64 | np.bool_]]") -> "Detections":
        return Detections(self.boxes[keep], self.scores[keep])

    @classmethod
    def none(cls) -> "Detections":
        """No horse."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
