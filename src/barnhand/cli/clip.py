"""A video file as frames with their own times."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer

from barnhand.core.errors import MediaError
from barnhand.core.frame import Frame
from barnhand.core.time import PTS_HZ, SECOND_US


@dataclass
class Clip:
    """An open video. ``rate`` is pictures a second, ``count`` how many the file says it has, ``None`` when it does not."""

    path: Path
    container: InputContainer
    rate: Fraction
    count: int | None

    def frames(self) -> Iterator[Frame]:
        """The pictures, upright, with times from the first one on. Raises ``MediaError`` where the file is damaged."""
        start: float | None = None
        last = -1.0
        count = 0
        try:
            for picture in self.container.decode(video=0):
                at = last + float(1 / self.rate) if picture.pts is None else float(picture.time)
                start = at if start is None else start
                seconds = max(at - start, last + 1e-3)  # times that stand still or go back are damage, not film
                last = seconds
                count += 1
                quarters = round(picture.rotation / 90) % 4
                image = np.rot90(picture.to_ndarray(format="bgr24"), quarters)
                yield Frame(
                    self.path.name,
                    round(seconds * SECOND_US),
                    round(seconds * PTS_HZ),
                    np.ascontiguousarray(image, dtype=np.uint8),
                )
        except (av.FFmpegError, OSError) as error:
            where = f" after picture {count - 1}" if count else ""
            raise MediaError(f"{self.path} is damaged{where} ({error.strerror or type(error).__name__})") from error
        if not count:
            raise MediaError(f"{self.path} has no pictures in it")


@contextmanager
def open_clip(path: Path) -> Iterator[Clip]:
    """Open a video file. Raises ``MediaError`` with what is wrong with it."""
    if not path.exists():
        raise MediaError(f"there is no file {path}")
    if path.is_dir():
        raise MediaError(f"{path} is a folder; name one video")
    if path.stat().st_size == 0:
        raise MediaError(f"{path} is empty")
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"{path} is not a video BarnHand can read ({error.strerror or type(error).__name__})") from error
    with container:
        if not container.streams.video:
            raise MediaError(f"{path} has no video in it")
        stream = container.streams.video[0]
        rate = Fraction(stream.average_rate or 25)
        yield Clip(path, container, rate, stream.frames or None)
