"""Proof of the invariants between chunk files and chunk rows, and their mending; docs/design/fragments.md numbers them."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from pathlib import Path

from barnhand.core.chunk import Chunk
from barnhand.core.time import PTS_HZ
from barnhand.fragments.naming import KEEP, chunk_id, parse_chunk_path
from barnhand.fragments.reader import Extent, measure
from barnhand.recorder.recover import describe
from barnhand.recorder.rows import Rows


class Problem(StrEnum):
    """What is wrong, each with the number of the invariant it breaks."""

    FILE_MISSING = "I1: the row's file is not there"
    RANGE_MISSING = "I1: the row names more bytes than the file holds whole"
    ROW_MISSING = "I2: the file has no row"
    NO_PICTURE = "I2: the file holds no whole picture"
    ROW_DIFFERS = "I3: the row says something else than the file"
    TAIL = "I3: the file ends with half a fragment"
    LEFT_OPEN = "I4: the row is open but nobody writes the file"
    OVERLAP = "I5: the chunk overlaps the one before it in its run"
    FOREIGN = "a file that is no chunk lies among the recordings"


@dataclass(frozen=True)
class Finding:
    """One broken invariant. ``mend`` is what would be done, empty when nothing can be or need be."""

    problem: Problem
    path: str
    detail: str
    mend: str = ""
    act: Callable[[Rows], None] | None = None


def check(
    recordings: Path, rows: Iterable[Chunk], *, until_us: int, writing: "frozenset[str]" = frozenset()
) -> Iterator[Finding]:
    """Compare all chunk files with all chunk rows; ``rows`` come sorted by stream, and by start within a stream.

    Chunks that begin after ``until_us`` are left out, as their rows may be on their way, and so are those named in
    ``writing``. Nothing is changed: ``mend`` does that with the findings.
    """
    seen: set[str] = set()
    for stream_id, group in groupby(rows, key=lambda row: row.stream_id):
        seen.add(stream_id)
        yield from _stream(recordings, stream_id, list(group), until_us, writing)
    for entry in sorted(os.scandir(recordings), key=lambda e: e.name) if recordings.is_dir() else ():
        if entry.is_dir() and entry.name not in seen:
            yield from _stream(recordings, entry.name, [], until_us, writing)


def mend(findings: Iterable[Finding], rows: Rows) -> Iterator[Finding]:
    """Do what each finding proposes; gives those that were mended."""
    for finding in findings:
        if finding.act is not None:
            finding.act(rows)
            yield finding


def _stream(recordings: Path, stream_id: str, rows: list[Chunk], until_us: int, writing: "frozenset[str]") -> Iterator[Finding]:
    by_path = {row.path: row for row in rows}
    files: dict[str, int] = {}
    for path in sorted((recordings / stream_id).glob("*/*")):
        name = str(path.relative_to(recordings))
        named = parse_chunk_path(name)
        if named is not None:
            files[name] = named[1]
        elif path.suffix != KEEP:
            yield Finding(Problem.FOREIGN, name, f"{path.stat().st_size} bytes")
    for row in rows:
        if row.path not in files and row.start_us <= until_us:
            yield Finding(Problem.FILE_MISSING, row.path, f"row {row.id}", "remove the row", _deleter(row.id))
    for name, start_us in files.items():
        if start_us <= until_us and name not in writing:
            yield from _file(recordings, name, stream_id, start_us, by_path.get(name))
    last: dict[int, Chunk] = {}
    for row in rows:
        before = last.get(row.run)
        if before is not None and row.start_pts < before.end_pts - PTS_HZ:
            yield Finding(Problem.OVERLAP, row.path, f"begins {(before.end_pts - row.start_pts) / PTS_HZ:.1f} s too early")
        last[row.run] = row


def _file(recordings: Path, name: str, stream_id: str, start_us: int, row: Chunk | None) -> Iterator[Finding]:
    path = recordings / name
    try:
        extent = measure(path, stream_id)
    except FileNotFoundError:
        return  # retention was quicker
    if extent is None:

        def remove(sink: Rows) -> None:
            sink.deleted(row.id if row is not None else chunk_id(stream_id, start_us))
            path.unlink(missing_ok=True)

        yield Finding(Problem.NO_PICTURE, name, f"{path.stat().st_size} bytes", "remove it", remove)
        return
    if extent.size > extent.bytes:
        detail = f"{extent.size - extent.bytes} bytes"
        yield Finding(Problem.TAIL, name, detail, "cut them off", lambda _: os.truncate(path, extent.bytes))
    made = describe(recordings, path, extent, start_us, discontinuity=row.discontinuity if row is not None else True)
    if row is None:
        yield Finding(Problem.ROW_MISSING, name, f"{extent.frames} pictures", "make the row anew", _putter(made))
    elif problem := _disagreement(row, extent):
        yield Finding(problem, name, f"row {row.id}", "make the row anew from the file", _putter(made))


def _disagreement(row: Chunk, extent: Extent) -> Problem | None:
    if row.bytes > extent.bytes or row.init_bytes > extent.init_bytes:
        return Problem.RANGE_MISSING
    if not row.closed:
        return Problem.LEFT_OPEN
    init = extent.init
    told = (row.bytes, row.init_bytes, row.frames, row.start_pts, row.run, row.mime, row.width, row.height)
    found = (extent.bytes, extent.init_bytes, extent.frames, extent.start_pts, init.run, init.mime)
    if told != (*found, init.video.width, init.video.height) or abs(row.end_pts - extent.end_pts) > PTS_HZ:
        return Problem.ROW_DIFFERS
    return None


def _deleter(row_id: str) -> Callable[[Rows], None]:
    return lambda sink: sink.deleted(row_id)


def _putter(row: Chunk) -> Callable[[Rows], None]:
    return lambda sink: sink.chunk(row)
