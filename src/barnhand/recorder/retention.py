"""Old recordings make room for new ones: by age, by space, and by what the disk still has free."""

import heapq
import logging
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from barnhand.core.time import SECOND_US, Clock
from barnhand.fragments.naming import chunk_id, keep_path, parse_chunk_path
from barnhand.recorder.options import RecorderOptions
from barnhand.recorder.ports import Protected
from barnhand.recorder.rows import Rows

_LOG = logging.getLogger(__name__)
_MEASURED_S = 60.0  # seconds between measurements of the space taken
_AGAIN_S = 3600.0  # seconds after which chunks that were protected are looked at again


@dataclass(frozen=True, order=True)
class Kept:
    """A chunk file on the shelf."""

    start_us: int
    path: str


class Shelf:
    """All chunk files, oldest first, listed a day of a stream at a time: no list of millions is ever held."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._days: dict[str, deque[Kept]] = {}
        self._listed: dict[str, str] = {}  # the latest day of a stream that was listed
        self._given: dict[str, int] = {}  # start of the last chunk of a stream that was given

    def start_over(self) -> None:
        """Forget what was passed over."""
        self._days.clear()
        self._listed.clear()
        self._given.clear()

    def oldest(self) -> Iterator[Kept]:
        """From the oldest on; what is taken is not given again before ``start_over``."""
        heap = [(days[0], name) for name in self._streams() if (days := self._fill(name))]
        heapq.heapify(heap)
        while heap:
            kept, name = heapq.heappop(heap)
            self._given[name] = self._days[name].popleft().start_us
            yield kept
            if days := self._fill(name):
                heapq.heappush(heap, (days[0], name))

    def put_back(self, kept: Kept) -> None:
        """The one just taken was not removed after all: it is the oldest still."""
        name = kept.path.partition("/")[0]
        self._days.setdefault(name, deque()).appendleft(kept)

    def _streams(self) -> list[str]:
        return sorted(e.name for e in os.scandir(self._folder) if e.is_dir()) if self._folder.is_dir() else []

    def _fill(self, name: str) -> deque[Kept]:
        days = self._days.setdefault(name, deque())
        if not days:
            listed = self._listed.get(name, "")
            later = sorted(e.name for e in os.scandir(self._folder / name) if e.is_dir() and e.name > listed)
            today = later[-1] if later else ""
            for day in later:
                days.extend(sorted(self._list(name, day)))
                if day != today:
                    self._listed[name] = day  # the newest day still grows and is listed again
                if days:
                    break
        return days

    def _list(self, name: str, day: str) -> Iterator[Kept]:
        for entry in os.scandir(self._folder / name / day):
            path = f"{name}/{day}/{entry.name}"
            named = parse_chunk_path(path)
            if named is not None and named[1] > self._given.get(name, -1):
                yield Kept(named[1], path)


class Retention:
    """Removes chunks, oldest unprotected first; never one that is being written. One thread uses it.

    The steps of a removal, in this order (docs/design/fragments.md): the row goes, then the file, then an empty folder.
    """

    def __init__(
        self, folder: Path, rows: Rows, clock: Clock, options: RecorderOptions, protected: Protected | None = None
    ) -> None:
        self._folder = folder
        self._rows = rows
        self._clock = clock
        self._options = options
        self._protected = protected or self._has_marker
        self._shelf = Shelf(folder)
        self._used = UsedSpace(folder, clock)
        self._over_at = clock.monotonic()
        self._said = False

    def clean(self, writing: "set[str]", *, need_bytes: int = 0) -> int:
        """Remove what is too old or too much; ``writing`` are paths being written. Returns how many were removed.

        ``need_bytes`` asks for so much free space even without a floor, after the disk ran full.
        """
        now = self._clock.monotonic()
        if now - self._over_at > _AGAIN_S:
            self._over_at = now
            self._shelf.start_over()
        oldest_us = self._oldest_us()
        spare = self._spare(need_bytes)
        removed = 0
        for kept in self._shelf.oldest():
            if kept.start_us >= oldest_us and spare >= 0:
                self._shelf.put_back(kept)
                self._said = False
                return removed
            if kept.path in writing or self._protected(kept.path):
                continue
            spare += self._remove(kept)
            removed += 1
        if spare < 0 and not self._said:
            self._said = True
            _LOG.warning("the disk is too full and no recording is left that may be removed; free space or protect fewer")
        return removed

    def _oldest_us(self) -> int:
        if self._options.retention_s is None:
            return 0
        return self._clock.wall_us() - round(self._options.retention_s * SECOND_US)

    def _spare(self, need_bytes: int) -> int:
        """Bytes there are beyond what is asked for; below zero so much must go."""
        if not self._folder.is_dir():
            return 0
        disk = os.statvfs(self._folder)
        # A floor of more than a tenth of the disk would empty a small one.
        floor = max(min(self._options.free_bytes, disk.f_blocks * disk.f_frsize // 10), need_bytes)
        spare = disk.f_bavail * disk.f_frsize - floor
        if self._options.retention_bytes is not None:
            spare = min(spare, self._options.retention_bytes - self._used.bytes())
        return spare

    def _remove(self, kept: Kept) -> int:
        path = self._folder / kept.path
        stream_id, start_us = kept.path.partition("/")[0], kept.start_us
        try:
            size = path.stat().st_blocks * 512
        except FileNotFoundError:
            size = 0
        self._rows.deleted(chunk_id(stream_id, start_us))
        self._used.removed(kept.path, size)
        try:
            path.unlink(missing_ok=True)
            path.parent.rmdir()  # fails while there is another chunk of that day, which is meant
        except OSError:
            pass
        return size

    def _has_marker(self, path: str) -> bool:
        return keep_path(self._folder / path).exists()


class UsedSpace:
    """Space taken by the recordings. Days that are over are measured once; the newest of each stream once a minute."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._days: dict[str, int] = {}
        self._stale: set[str] = set()
        self._measured_at = float("-inf")
        self._removed = 0

    def bytes(self) -> int:
        """As last measured, less what was removed since."""
        now = self._clock.monotonic()
        if now - self._measured_at >= _MEASURED_S:
            self._measured_at, self._removed = now, 0
            self._measure()
        return sum(self._days.values()) - self._removed

    def removed(self, path: str, size: int) -> None:
        """A file was removed; its day is measured anew next time."""
        self._removed += size
        self._stale.add(path.rpartition("/")[0])

    def _measure(self) -> None:
        known, self._days = self._days, {}
        for stream in _folders(self._folder):
            days = sorted(_folders(stream))
            for day in days:
                name = f"{stream.name}/{day.name}"
                fresh = day == days[-1] or name in self._stale or name not in known
                self._days[name] = _file_bytes(day) if fresh else known[name]
        self._stale.clear()


def _folders(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def _file_bytes(folder: Path) -> int:
    total = 0
    try:
        for entry in os.scandir(folder):
            total += entry.stat(follow_symlinks=False).st_blocks * 512
    except FileNotFoundError:
        pass
    return total
