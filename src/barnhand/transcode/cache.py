"""Converted chunks on disk: bounded, the ones longest unused out first, never counted as recordings."""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from barnhand.core.errors import SpaceError
from barnhand.core.time import SECOND_US, Clock
from barnhand.transcode.options import TranscodeOptions

_LOG = logging.getLogger(__name__)
CLIPS = "clips"
_ROOM = 64 << 20  # bytes a file about to be made may need


class Cache:
    """``<folder>/<path of the chunk>`` and ``<folder>/clips``. A file is there whole or not at all."""

    def __init__(self, folder: Path, recordings: Path, clock: Clock, options: TranscodeOptions) -> None:
        self.folder = folder
        self._recordings = recordings
        self._clock = clock
        self._options = options
        self._lock = threading.Lock()

    def chunk(self, path: str) -> Path:
        """Where the converted chunk of this path (relative to the recordings) belongs."""
        return self.folder / path

    def clip(self, job_id: str) -> Path:
        """Where the clip of a job belongs."""
        return self.folder / CLIPS / f"{job_id}.mp4"

    def put(self, path: Path, write: Callable[[Path], None]) -> None:
        """Have ``write`` fill a file beside ``path`` and put it there in one step. Raises ``SpaceError``."""
        self.sweep(_ROOM)
        if self._free() < _ROOM:
            raise SpaceError("the disk is too full to convert recordings; free some space")
        new = path.with_name(f".{path.name}.{threading.get_ident()}.new")
        try:
            with self._lock:  # with a file in it no sweep takes the folder for empty
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
                new.touch(mode=0o640)
            write(new)
            new.replace(path)
            self.sweep()
        except OSError as error:
            raise SpaceError(f"a converted recording cannot be written ({error.strerror}); free some space") from error
        finally:
            new.unlink(missing_ok=True)

    def sweep(self, room: int = 0) -> None:
        """Remove copies of recordings that are gone, clips nobody fetched, and the longest unused beyond the bound.

        With ``room`` also so many that as many bytes are free.
        """
        with self._lock:
            self._sweep(room)

    def _sweep(self, room: int) -> None:
        now = self._clock.wall_us() / SECOND_US
        kept: list[tuple[float, int, Path]] = []
        for file in list(self.folder.rglob("*.mp4")):
            with suppress(FileNotFoundError):
                stat = file.stat()
                if file.parent.name == CLIPS:
                    if now - stat.st_mtime > self._options.clip_s:
                        file.unlink()
                elif not (self._recordings / file.relative_to(self.folder)).exists():
                    self._remove(file)
                else:
                    kept.append((stat.st_mtime, stat.st_blocks * 512, file))
        used = sum(size for _, size, _ in kept)
        free = self._free()
        for _, size, file in sorted(kept):
            if used <= self._options.cache_bytes and free >= room:
                break
            self._remove(file)
            used, free = used - size, free + size

    def start_over(self) -> None:
        """Remove what a kill left half written."""
        for file in self.folder.rglob(".*.new"):
            file.unlink(missing_ok=True)

    def _remove(self, file: Path) -> None:
        file.unlink(missing_ok=True)
        with suppress(OSError):  # there is another chunk of that day
            file.parent.rmdir()

    def _free(self) -> int:
        """Bytes that may still be written: recordings are never removed to make room for copies of them."""
        disk = os.statvfs(self.folder)
        return disk.f_bavail * disk.f_frsize - min(self._options.free_bytes, disk.f_blocks * disk.f_frsize // 10)


def used(path: Path) -> None:
    """Remember that a file was used now."""
    with suppress(OSError):
        os.utime(path)
