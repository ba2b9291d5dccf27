"""Builders of the recorder's tests: a publisher and a spool that are lists, and patience."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from barnhand.core.chunk import Chunk
from barnhand.core.errors import HubError, SpaceError
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.stream import SourceType, Stream, StreamState
from barnhand.fragments.reader import measure, read_chunk
from barnhand.recorder.options import RecorderOptions, TimelineOptions
from barnhand.sources.options import SourceOptions

QUICK = RecorderOptions(
    chunk_s=0.4,
    free_bytes=0,
    clean_s=1e9,
    source=SourceOptions(open_s=2.0, stall_s=0.6),
    timeline=TimelineOptions(settle_s=0.1),
)


@dataclass
class Hub:
    """Remembers what it is given; ``away`` makes it raise, ``held`` makes it block."""

    items: list[Any] = field(default_factory=list)
    away: bool = False
    held: threading.Event | None = None

    def _take(self, *items: Any) -> None:
        if self.held is not None:
            self.held.wait()
        if self.away:
            raise HubError("the hub is away")
        self.items.extend(items)

    def publish_init(self, init: InitSegment) -> None:
        self._take(init)

    def publish_fragments(self, fragments: Sequence[Fragment]) -> None:
        self._take(*fragments)

    def publish_state(self, state: StreamState) -> None:
        self._take(state)

    def publish_event(self, name: str, payload: Mapping[str, Any]) -> None:
        self._take((name, dict(payload)))

    def of(self, kind: type) -> list[Any]:
        return [item for item in list(self.items) if isinstance(item, kind)]

    @property
    def fragments(self) -> list[Fragment]:
        return self.of(Fragment)

    @property
    def causes(self) -> list[str]:
        return [state.cause.value for state in self.of(StreamState)]


@dataclass
class Spool:
    """Rows as the writer would put them into tables."""

    log: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    full: bool = False

    def append(self, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if self.full:
            raise SpaceError("the spool is full")
        self.log.extend((kind, dict(row)) for row in rows)

    @property
    def chunks(self) -> list[Chunk]:
        """The chunk table."""
        table: dict[str, Chunk] = {}
        for kind, row in list(self.log):
            if kind == "chunk":
                table[row["id"]] = Chunk(**row)
            elif kind == "chunk_deleted":
                table.pop(row["id"], None)
        return sorted(table.values(), key=lambda chunk: chunk.start_us)

    @property
    def gaps(self) -> list[dict[str, Any]]:
        """The gap table."""
        table = {(row["stream_id"], row["start_us"]): row for kind, row in list(self.log) if kind == "gap"}
        return [table[key] for key in sorted(table)]


def stream(url: str | Path, stream_id: str = "cam", **config: Any) -> Stream:
    kind = SourceType.RTSP if str(url).startswith("rtsp") else SourceType.FILE
    return Stream(stream_id, "Box 1", kind, str(url), config)


def until(true: Callable[[], Any], what: str, timeout_s: float = 20.0) -> None:
    """Wait for something to become true; a test that waits too long fails with what it waited for."""
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, f"waited {timeout_s} s for {what}"
        time.sleep(0.01)


def prove(folder: Path, spool: Spool) -> None:
    """The invariants between files and rows, when nothing is being written."""
    files = {str(path.relative_to(folder)) for path in folder.glob("*/*/*.mp4")}
    rows = {chunk.path: chunk for chunk in spool.chunks}
    assert set(rows) == files
    for path, chunk in rows.items():
        extent = measure(folder / path, chunk.stream_id)
        assert extent is not None
        assert chunk.closed
        assert (chunk.bytes, chunk.init_bytes, chunk.frames) == (extent.size, extent.init_bytes, extent.frames)
        assert (chunk.start_pts, chunk.run, chunk.mime) == (extent.start_pts, extent.init.run, extent.init.mime)
        assert chunk.end_pts >= extent.end_pts - 90_000
        first = next(item for item in read_chunk(folder / path, chunk.stream_id) if isinstance(item, Fragment))
        assert first.key


def options(**changes: Any) -> RecorderOptions:
    return replace(QUICK, **changes)
