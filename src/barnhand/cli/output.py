"""Files that are whole or not there: results and drawings."""

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from barnhand.cli.draw import Marked, draw
from barnhand.cli.pictures import Picture, Source
from barnhand.core.errors import ConfigurationError
from barnhand.core.frame import Image


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to; it takes the name when the block ends well and is removed when it does not.

    Raises ``ConfigurationError`` when the place cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror}); choose another place") from error
    part = Path(name)
    try:
        yield part
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_json(path: Path, data: object) -> None:
    """Write ``data`` as JSON, whole or not at all. Raises ``ConfigurationError``."""
    with written(path) as part:
        part.write_text(json.dumps(data, ensure_ascii=False) + "\n", "utf-8")


class Drawings:
    """Drawn pictures under a folder: ``NAME.jpg`` for a picture, ``NAME.mp4`` for a video. A context manager."""

    def __init__(self, folder: Path | None) -> None:
        """Without a folder nothing is drawn."""
        self.folder = folder
        self._video: _Video | None = None

    def __enter__(self) -> "Drawings":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._video is not None:
            self._video.close(keep=kind is None)
            self._video = None

    def add(self, picture: Picture, horses: Sequence[Marked]) -> None:
        """Draw the horses on a picture and write it; the pictures of one video follow one another."""
        if self.folder is None:
            return
        drawn = draw(picture.image, horses)
        if self._video is not None and self._video.source is not picture.source:
            self._video.close(keep=True)
            self._video = None
        if picture.frame is not None:
            if self._video is None:
                self._video = _Video(picture, self._path(picture.source, ".mp4"))
            self._video.add(drawn)
            return
        _, data = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, 92])
        with written(self._path(picture.source, ".jpg")) as part:
            part.write_bytes(data.tobytes())

    def _path(self, source: Source, suffix: str) -> Path:
        assert self.folder is not None
        below = [part for part in Path(source.name).parts if part not in {os.sep, ".."}]
        # The suffix is added, not exchanged: a.jpg and a.png are two drawings.
        return self.folder.joinpath(*below[:-1], below[-1] if below[-1].endswith(suffix) else below[-1] + suffix)


class _Video:
    """An H.264 file in the making."""

    def __init__(self, first: Picture, path: Path) -> None:
        self.source = first.source
        self._place = ExitStack()
        part = self._place.enter_context(written(path))
        self._container = av.open(str(part), "w", format="mp4", options={"movflags": "faststart"})
        stream = self._container.add_stream("libx264", rate=first.rate or Fraction(25), options={"crf": "21", "preset": "fast"})
        stream.height, stream.width = (side - side % 2 for side in first.image.shape[:2])
        stream.pix_fmt = "yuv420p"
        self._stream = stream

    def add(self, drawn: Image) -> None:
        """Append a picture, scaled to the first one's size."""
        height, width = self._stream.height, self._stream.width
        even = drawn[:height, :width]
        if even.shape[:2] != (height, width):
            even = np.asarray(cv2.resize(drawn, (width, height)), np.uint8)
        self._container.mux(self._stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="bgr24")))

    def close(self, *, keep: bool) -> None:
        """Finish the file, or throw it away."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        if keep:
            self._place.close()
        else:
            error = InterruptedError()
            self._place.__exit__(InterruptedError, error, None)
