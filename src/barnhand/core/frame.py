"""A decoded picture with the times it was taken at."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of one stream.

    ``image`` is ``(height, width, 3)`` uint8, BGR; ``wall_us`` is when it was taken; ``pts`` is its media time in 90 kHz
    ticks on the epoch base.
    """

    stream_id: str
    wall_us: int
    pts: int
    image: Image

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ValueError(f"a frame's image is (height, width, 3) uint8, got {self.image.shape} {self.image.dtype}")

    @property
    def width(self) -> int:
        """Width in px."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Height in px."""
        return int(self.image.shape[0])
