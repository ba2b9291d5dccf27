"""Chunk files back to init segments and fragments."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from barnhand.core.errors import DamagedMediaError
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.time import wall_of_pts
from barnhand.fragments.boxes import Box, find, walk
from barnhand.fragments.init import VIDEO_TRACK, read_formats, read_run
from barnhand.fragments.mime import mime
from barnhand.fragments.writer import wall_of_ntp

_LARGEST = 256 << 20  # bytes; a longer box is damage, not a picture
_INIT = {b"ftyp", b"uuid", b"moov", b"free", b"styp"}


@dataclass(frozen=True)
class Extent:
    """What of a chunk file is whole: ``bytes`` up to the end of its last whole fragment, and what they hold."""

    init: InitSegment
    init_bytes: int
    bytes: int
    size: int
    frames: int
    start_pts: int
    end_pts: int
    start_us: int
    end_us: int


def read_chunk(path: Path, stream_id: str) -> Iterator[InitSegment | Fragment]:
    """The segments of a chunk file in order; a tail that is cut ends them quietly.

    Raises ``DamagedMediaError`` when the file does not begin with a whole init segment, ``FileNotFoundError`` when there
    is none.
    """
    for segment, _ in _segments(path, stream_id):
        yield segment


def init_length(data: bytes) -> int:
    """How many bytes of a chunk file are its init segment. Raises ``DamagedMediaError`` when there is no whole one."""
    for item in walk(data):
        if item.kind == b"moov":
            return item.end
    raise DamagedMediaError("the file does not begin with a whole init segment; it is no BarnHand chunk or was cut")


def measure(path: Path, stream_id: str) -> Extent | None:
    """How much of a chunk file is whole, or ``None`` when not even one video fragment is.

    Raises ``FileNotFoundError``.
    """
    init: InitSegment | None = None
    init_bytes = whole = frames = 0
    start_pts = end_pts = start_us = end_us = 0
    try:
        for segment, end in _segments(path, stream_id, bodies=False):
            if isinstance(segment, InitSegment):
                if init is None:
                    init, init_bytes = segment, end
                continue
            whole = end
            if not segment.video:
                continue
            segment_end = segment.pts + segment.duration
            if not frames:
                start_pts, start_us = segment.pts, segment.wall_us
            if not frames or segment_end > end_pts:
                end_pts = segment_end
                end_us = segment.wall_us + wall_of_pts(segment.duration)
            frames += 1
    except DamagedMediaError:
        return None
    if init is None or not frames:
        return None
    size = path.stat().st_size
    return Extent(init, init_bytes, whole, size, frames, start_pts, end_pts, start_us, max(end_us, start_us))


def _segments(path: Path, stream_id: str, *, bodies: bool = True) -> Iterator[tuple[InitSegment | Fragment, int]]:
    """Segments with the offset of their end in the file; without ``bodies`` fragments lack their sample data."""
    init: InitSegment | None = None
    pending = bytearray()
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        while (item := _next_box(file, size, bodies)) is not None:
            kind, data = item
            pending += data
            if kind == b"moov":
                init = _init(bytes(pending), stream_id)
                pending.clear()
                yield init, file.tell()
            elif kind == b"mdat":
                if init is None:
                    raise DamagedMediaError(f"{path.name} has pictures before its init segment; it is no BarnHand chunk")
                fragment = _fragment(bytes(pending), init)
                pending.clear()
                if fragment is None:
                    return
                yield fragment, file.tell()
            elif kind not in _INIT and kind not in {b"prft", b"moof"}:
                break
    if init is None:
        raise DamagedMediaError(f"{path.name} does not begin with a whole init segment; it is no BarnHand chunk or was cut")


def _next_box(file: BinaryIO, total: int, bodies: bool) -> tuple[bytes, bytes] | None:
    header = file.read(8)
    if len(header) < 8:
        return None
    size, kind = struct.unpack(">I4s", header)
    end = file.tell() - 8 + size
    if size < 8 or size > _LARGEST or end > total:
        return None
    if kind == b"mdat" and not bodies:
        file.seek(end)
        return kind, b""
    body = file.read(size - 8)
    return (kind, header + body) if len(body) == size - 8 else None


def _init(data: bytes, stream_id: str) -> InitSegment:
    run, wall_us = read_run(data)
    video, audio = read_formats(data)
    if video is None:
        raise DamagedMediaError("the init segment names no H.264 or H.265 track; it is no BarnHand chunk")
    return InitSegment(stream_id, run, wall_us, data, mime(video, audio), video, audio)


def parse_fragment(data: bytes, init: InitSegment) -> Fragment | None:
    """A fragment from its bytes, as ``FragmentWriter`` made it; ``None`` when they are not one."""
    return _fragment(data, init)


def sample(fragment: Fragment) -> memoryview:
    """The access unit inside a fragment, without a copy."""
    data = fragment.data
    mdat = find(data, "mdat")
    if mdat is None:
        raise DamagedMediaError("a fragment has no sample data")
    return memoryview(data)[mdat.body : mdat.end]


def _fragment(data: bytes, init: InitSegment) -> Fragment | None:
    moof = find(data, "moof")
    prft = find(data, "prft")
    boxes: list[Box | None] = (
        [find(data, f"traf/{name}", moof.body, moof.end) for name in ("tfhd", "tfdt", "trun")] if moof else []
    )
    if prft is None or prft.end - prft.body < 24 or len(boxes) != 3 or any(item is None for item in boxes):
        return None
    tfhd, tfdt, trun = (item for item in boxes if item is not None)
    track = struct.unpack_from(">I", data, tfhd.body + 4)[0]
    dts = struct.unpack_from(">Q", data, tfdt.body + 4)[0]
    duration, _, flags, offset = struct.unpack_from(">IIIi", data, trun.body + 12)
    ntp = struct.unpack_from(">Q", data, prft.body + 8)[0]
    wall_us = wall_of_ntp(ntp, wall_of_pts(dts))
    video = track == VIDEO_TRACK
    key = video and not flags & 0x10000  # the bit that says "no sync sample"
    return Fragment(init.stream_id, init.run, video, key, dts + offset, dts, duration, wall_us, data)
