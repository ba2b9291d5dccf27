"""Pictures and videos named on the command line: found, named and read one after another."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from barnhand.core.errors import MediaError
from barnhand.core.frame import Image

PICTURES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".webp", ".tif", ".tiff", ".jp2", ".ppm", ".pgm"})
VIDEOS = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".flv", ".wmv"})


@dataclass(frozen=True)
class Source:
    """A file to be looked at. ``name`` is what results call it."""

    name: str
    path: Path

    @property
    def is_video(self) -> bool:
        """Whether it has many pictures."""
        return self.path.suffix.lower() in VIDEOS


@dataclass(frozen=True, eq=False)
class Picture:
    """One BGR picture; ``frame`` is its index in a video, from 0, ``rate`` how many of those read are shown in a second."""

    source: Source
    image: Image
    frame: int | None = None
    rate: Fraction | None = None

    @property
    def file_name(self) -> str:
        """``stall.jpg``, or ``stall.mp4#000012`` for a picture of a video."""
        return self.source.name if self.frame is None else f"{self.source.name}#{self.frame:06d}"


def gather(paths: Sequence[Path]) -> tuple[list[Source], list[str]]:
    """The files to read, each once, in order, and a sentence for each path that gives none.

    A file is called by its name, one from a folder by its path below that folder; files that would be called the same are
    called by the path given.
    """
    found: list[tuple[str, Path, str]] = []
    complaints: list[str] = []
    seen: set[Path] = set()
    for path in paths:
        if path.is_dir():
            files = [file for file in _walk(path) if file.suffix.lower() in PICTURES | VIDEOS]
            if not files:
                complaints.append(f"the folder {path} has no pictures or videos in it")
            entries = [(file.relative_to(path).as_posix(), file) for file in files]
        elif path.exists():
            entries = [(path.name, path)]
        else:
            complaints.append(f"there is no file or folder {path}")
            continue
        for name, file in entries:
            if (real := file.resolve()) not in seen:
                seen.add(real)
                found.append((name, file, file.as_posix()))
    names = Counter(name for name, _, _ in found)
    return [Source(name if names[name] == 1 else full, file) for name, file, full in found], complaints


def read(source: Source, every: int = 1) -> Iterator[Picture]:
    """Its pictures; of a video each ``every``-th. Raises ``MediaError`` where it cannot be read, on or after the first."""
    if source.is_video:
        yield from _video(source, every)
    else:
        yield Picture(source, _picture(source.path))


def _picture(path: Path) -> Image:
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise MediaError(f"{path} cannot be opened: {(error.strerror or 'it cannot be read').lower()}") from error
    if not len(data):
        raise MediaError(f"{path} is empty")
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None:
        raise MediaError(f"{path} is damaged or not a picture BarnHand can read")
    return np.asarray(image, np.uint8)


def _video(source: Source, every: int) -> Iterator[Picture]:
    path = source.path
    count = 0
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise MediaError(f"{path} has no video in it")
            rate = Fraction(container.streams.video[0].average_rate or 25) / every
            for index, frame in enumerate(container.decode(video=0)):
                count += 1
                if index % every == 0:
                    yield Picture(source, _upright(frame), index, rate)
    except (av.FFmpegError, OSError) as error:
        what = "is damaged or not a video BarnHand can read" if not count else f"is damaged after picture {count - 1}"
        raise MediaError(f"{path} {what} ({error.strerror or type(error).__name__})") from error
    if not count:
        raise MediaError(f"{path} has no pictures in it")


def _upright(frame: av.VideoFrame) -> Image:
    """BGR, turned as the camera was held (counter-clockwise degrees in the file's display matrix)."""
    image = frame.to_ndarray(format="bgr24")
    quarters = round(frame.rotation / 90) % 4
    return np.asarray(np.ascontiguousarray(np.rot90(image, quarters)) if quarters else image, np.uint8)


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root) / name for name in sorted(files) if not name.startswith("."))
