"""One chunk file while it is written: the init segment, then fragments, appended as they come."""

import contextlib
import os
import threading
from dataclasses import replace
from pathlib import Path

from barnhand.core.chunk import Chunk
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.time import wall_of_pts
from barnhand.fragments.naming import chunk_id, chunk_path


class ChunkFile:
    """An open chunk. Opening and ``write`` raise ``OSError`` when the disk takes no more; the file then still ends with a
    whole fragment, or is gone when it has none.
    """

    def __init__(self, folder: Path, init: InitSegment, first: Fragment, *, discontinuity: bool) -> None:
        start_us = first.wall_us
        while (folder / chunk_path(first.stream_id, start_us)).exists():
            start_us += 1  # a clock that was set back may come by the same microsecond twice
        path = chunk_path(first.stream_id, start_us)
        self.path = folder / path
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        self._dirty = False
        self.row = Chunk(
            id=chunk_id(first.stream_id, start_us),
            stream_id=first.stream_id,
            path=path,
            run=init.run,
            start_us=start_us,
            end_us=max(first.wall_us + wall_of_pts(first.duration), start_us),
            start_pts=first.pts,
            end_pts=first.pts + first.duration,
            bytes=len(init.data),
            init_bytes=len(init.data),
            frames=0,
            codec=init.video.codec.value,
            mime=init.mime,
            width=init.video.width,
            height=init.video.height,
            discontinuity=discontinuity,
            closed=False,
        )
        self._bytes = 0
        self._frames = 0
        self._end_pts = self.row.end_pts
        try:
            self._append(init.data + first.data)
        except OSError:
            self._shut()
            self.path.unlink(missing_ok=True)
            raise
        self._frames = 1

    def write(self, fragment: Fragment) -> None:
        """Append a fragment."""
        self._append(fragment.data)
        if fragment.video:
            self._frames += 1
            self._end_pts = max(self._end_pts, fragment.pts + fragment.duration)

    def sync(self) -> None:
        """Force what is written to the disk; called by another thread."""
        with self._lock:
            if self._file < 0 or not self._dirty:
                return
            copy = os.dup(self._file)
            self._dirty = False
        try:
            os.fdatasync(copy)
        except OSError:
            pass  # what cannot be synced shows at the next write
        finally:
            os.close(copy)

    def close(self, end_pts: int | None = None) -> Chunk:
        """Close the file; its final row. ``end_pts`` is where the next chunk begins, when it follows on."""
        self._shut()
        end = self._end_pts if end_pts is None else end_pts
        self.row = replace(self.current(), end_pts=end, end_us=max(wall_of_pts(end), self.row.start_us), closed=True)
        return self.row

    def current(self) -> Chunk:
        """The row as of now."""
        end_us = max(wall_of_pts(self._end_pts), self.row.start_us)
        return replace(self.row, bytes=self._bytes, frames=self._frames, end_pts=self._end_pts, end_us=end_us)

    def _append(self, data: bytes) -> None:
        written = 0
        try:
            while written < len(data):  # a disk that runs full takes a part first
                written += os.write(self._file, memoryview(data)[written:])
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._bytes)
                os.lseek(self._file, self._bytes, os.SEEK_SET)
            raise
        self._bytes += len(data)
        self._dirty = True

    def _shut(self) -> None:
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
