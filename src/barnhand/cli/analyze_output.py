"""What ``barnhand analyze`` writes: JSON lines and the video with the overlay, each whole or not there."""

import json
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import av
import numpy as np

from barnhand.analyst.offline import Seen
from barnhand.cli.draw import Colour, Marked, draw
from barnhand.cli.output import written
from barnhand.core.time import PTS_HZ


class JsonLines:
    """One JSON object a line. A context manager; the file appears when it ends well."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = ExitStack()
        self._file: IO[str]

    def __enter__(self) -> Self:
        part = self._place.enter_context(written(self._path))
        self._file = self._place.enter_context(part.open("w", encoding="utf-8"))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._place.__exit__(kind, error, trace)

    def add(self, row: dict[str, Any]) -> None:
        """Write the next line."""
        self._file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


class Overlay:
    """The video with what was seen drawn on it, H.264, at the pictures' own times."""

    def __init__(self, path: Path, rate: Fraction) -> None:
        self._path = path
        self._rate = rate
        self._place = ExitStack()
        self._stream: av.VideoStream | None = None
        self._container: av.container.OutputContainer

    def __enter__(self) -> Self:
        part = self._place.enter_context(written(self._path))
        self._container = av.open(str(part), "w", format="mp4", options={"movflags": "faststart"})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._stream is not None:
            if kind is None:
                self._container.mux(self._stream.encode(None))
            self._container.close()
        self._place.__exit__(kind, error, trace)

    def add(self, seen: Seen) -> None:
        """Draw and append the next picture."""
        horses = [
            Marked(
                horse.box,
                f"{horse.identity.name or f'Horse {horse.track_id}'} ({horse.score:.2f})",
                horse.pose,
                bgr(horse.color),
            )
            for horse in seen.observation.horses
        ]
        drawn = draw(seen.frame.image, horses)
        if self._stream is None:
            self._stream = self._open(drawn.shape[1], drawn.shape[0])
        even = np.ascontiguousarray(drawn[: self._stream.height, : self._stream.width])
        picture = av.VideoFrame.from_ndarray(even, format="bgr24")
        picture.pts, picture.time_base = seen.frame.pts, Fraction(1, PTS_HZ)
        self._container.mux(self._stream.encode(picture))

    def _open(self, width: int, height: int) -> av.VideoStream:
        stream = self._container.add_stream("libx264", rate=self._rate, options={"crf": "21", "preset": "fast"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width - width % 2, height - height % 2, "yuv420p"
        stream.codec_context.time_base = Fraction(1, PTS_HZ)
        return stream


def bgr(color: str) -> Colour:
    """``#rrggbb`` → blue, green, red."""
    return int(color[5:7], 16), int(color[3:5], 16), int(color[1:3], 16)
