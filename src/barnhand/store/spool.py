"""Rows on their way to the database: a folder of append-only files, of which every producer has its own.

A segment ``<producer>.<number>.jsonl`` holds one row a line, ``{"k": kind, "r": row}``. Its producer holds a lock (flock)
on the segment it appends to, so that a reader knows a segment is finished when there is a later one or the lock is free.
``<producer>.ack`` says how far a reader without a database of its own has come. Standard library only: a recorder loads
this and no database driver.
"""

import fcntl
import json
import math
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from barnhand.core.errors import SpaceError
from barnhand.core.time import Clock, SystemClock

KINDS = frozenset({"chunk", "chunk_deleted", "chunk_analysed", "gap", "observation", "track", "horse", "look", "look_deleted"})
"""What the writer knows to put into the database."""

_NAME = re.compile(r"(?P<producer>[0-9a-z-]+)\.(?P<number>\d{8})\.jsonl")


@dataclass(frozen=True)
class SpoolOptions:
    """How the spool's files are cut."""

    segment_bytes: int = 16 << 20
    """A segment that has grown to this is closed."""
    segment_s: float = 600
    """So is one that is this old; what is copied is only removed by whole segments."""
    sync_s: float = 1.0
    """Seconds after which appended rows are forced to the disk, so that a power cut costs no more; 0 forces each append."""


class Spool:
    """The producer's end. Safe to share between threads; a forked child gets files of its own."""

    def __init__(self, folder: Path, options: SpoolOptions | None = None, clock: Clock | None = None) -> None:
        self._folder = folder
        self._options = options or SpoolOptions()
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._pid = 0
        self._producer = ""
        self._number = 0
        self._file = -1
        self._size = 0
        self._opened = 0.0
        self._synced = 0.0

    def append(self, kind: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows in order, all or none of them.

        Raises ``ValueError`` for a kind that is not known, ``TypeError`` for a row that is not JSON, ``SpaceError`` when the
        disk takes no more.
        """
        if kind not in KINDS:
            raise ValueError(f"the spool knows no rows of kind {kind!r}; known are {', '.join(sorted(KINDS))}")
        data = b"".join(_line(kind, row) for row in rows)
        if not data:
            return
        with self._lock:
            try:
                self._prepare()
                self._write(data)
            except OSError as error:
                raise SpaceError(
                    f"the spool {self._folder} takes no more rows ({error.strerror}); make room on its disk"
                ) from error

    def close(self) -> None:
        """Force everything to the disk and let the reader finish the segment."""
        with self._lock:
            if self._file >= 0 and self._pid == os.getpid():
                os.fdatasync(self._file)
                os.close(self._file)
            self._file = -1

    def _prepare(self) -> None:
        now = self._clock.monotonic()
        if self._pid != os.getpid():
            # A forked child: the parent's file, whose lock we share, is not ours to append to.
            if self._file >= 0:
                os.close(self._file)
            self._pid = os.getpid()
            self._producer = f"{self._pid}-{secrets.token_hex(6)}"
            self._number, self._file = 0, -1
        elif self._file >= 0 and (self._size >= self._options.segment_bytes or now - self._opened >= self._options.segment_s):
            os.fdatasync(self._file)
            os.close(self._file)
            self._file = -1
        if self._file < 0:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{self._producer}.{self._number + 1:08d}.jsonl"
            unready = path.with_suffix(".new")
            file = os.open(unready, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            # The lock comes before the name, or a reader could take the segment for one that was left behind.
            fcntl.flock(file, fcntl.LOCK_EX)
            unready.rename(path)
            self._number += 1
            self._file, self._size, self._opened, self._synced = file, 0, now, now

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError:
            # Half a line would swallow the next one.
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)
        now = self._clock.monotonic()
        if now - self._synced >= self._options.sync_s:
            os.fdatasync(self._file)
            self._synced = now


def _line(kind: str, row: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps({"k": kind, "r": row}, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    except ValueError:
        # JSON has no NaN; what could not be measured is null.
        text = json.dumps({"k": kind, "r": _finite(row)}, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


@dataclass(frozen=True)
class Position:
    """A place in a producer's segments: the byte ``offset`` in segment ``number``."""

    number: int
    offset: int


@dataclass(frozen=True)
class Row:
    """A line of the spool. ``kind`` is ``None`` for a line that is none: ``text`` has it as it was."""

    kind: str | None
    data: Mapping[str, Any]
    text: str


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of one producer, the position they were read from and the one after them."""

    producer: str
    rows: tuple[Row, ...]
    start: Position
    end: Position


def _parse(line: bytes, loads: Callable[[bytes], Any]) -> Row:
    text = line.decode("utf-8", "replace")
    try:
        entry = loads(line)
        kind, data = entry["k"], entry["r"]
    except (ValueError, KeyError, TypeError):
        return Row(None, {}, text)
    if not isinstance(kind, str) or not isinstance(data, dict):
        return Row(None, {}, text)
    return Row(kind, data, text)


def is_abandoned(path: Path) -> bool:
    """Whether no producer holds the segment any more."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True


class SpoolReader:
    """The consumer's end: batches in each producer's order. One reader a folder, one thread.

    What ``acknowledge`` was told is remembered in ``.ack`` files; a reader that keeps positions elsewhere says so with
    ``seek``. ``loads`` may be a faster reader of JSON than the standard library's.
    """

    def __init__(self, folder: Path, loads: Callable[[bytes], Any] = json.loads) -> None:
        self._folder = folder
        self._loads = loads
        self._positions: dict[str, Position] = {}
        self._turn = ""

    def seek(self, producer: str, position: Position) -> None:
        """Read on from ``position``, whatever the ``.ack`` file says."""
        self._positions[producer] = position

    def forget_positions(self) -> None:
        """Start over from what is acknowledged."""
        self._positions.clear()

    def producers(self) -> dict[str, list[tuple[int, Path]]]:
        """Every producer's segments by number."""
        found: dict[str, list[tuple[int, Path]]] = {}
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                match = _NAME.fullmatch(path.name)
                if match:
                    found.setdefault(match["producer"], []).append((int(match["number"]), path))
        return {producer: sorted(segments) for producer, segments in sorted(found.items())}

    def waiting_bytes(self) -> int:
        """How much is not read yet."""
        total = 0
        for producer, segments in self.producers().items():
            position = self._position(producer)
            for number, path in segments:
                if number >= position.number:
                    total += _size(path) - (position.offset if number == position.number else 0)
        return total

    def read(self, limit: int) -> Batch | None:
        """Up to ``limit`` rows of one producer after its position, or ``None``; producers take turns.

        The position moves on, so the next call gives what follows. Finished segments without a rest are removed only by
        ``acknowledge``.
        """
        producers = self.producers()
        names = list(producers)
        later = [name for name in names if name > self._turn]
        for producer in [*later, *names[: len(names) - len(later)]]:
            batch = self._read(producer, producers[producer], limit)
            if batch is not None:
                self._turn = producer
                self._positions[producer] = batch.end
                return batch
        return None

    def acknowledge(self, batch: Batch) -> None:
        """The batch is safe elsewhere: remember it and remove segments that are done with."""
        marker = self._folder / f"{batch.producer}.ack"
        temporary = marker.with_suffix(".ack.new")
        temporary.write_text(json.dumps({"segment": batch.end.number, "offset": batch.end.offset}))
        temporary.replace(marker)
        self.tidy(batch.producer, batch.end)

    def sweep(self) -> None:
        """Remove what producers that are gone have left; only when every batch that was read is acknowledged."""
        for producer in self.producers():
            self.tidy(producer, self._position(producer))

    def tidy(self, producer: str, safe: Position) -> bool:
        """Remove a producer's segments up to ``safe``; true when nothing of the producer is left and it is gone."""
        segments = self.producers().get(producer, [])
        last = segments[-1][0] if segments else 0
        left = 0
        for number, path in segments:
            finished = number < safe.number or (number == safe.number and safe.offset >= _size(path))
            if finished and (number < last or is_abandoned(path)) and (number < safe.number or safe.offset >= _size(path)):
                path.unlink(missing_ok=True)
            else:
                left += 1
        if left == 0:
            (self._folder / f"{producer}.ack").unlink(missing_ok=True)
            self._positions.pop(producer, None)
        return left == 0

    def _read(self, producer: str, segments: list[tuple[int, Path]], limit: int) -> Batch | None:
        position = self._position(producer)
        for index, (number, path) in enumerate(segments):
            if number < position.number:
                continue
            offset = position.offset if number == position.number else 0
            # Asked before reading: a producer that goes away in between has then written all it will.
            finished = index + 1 < len(segments) or is_abandoned(path)
            rows: list[Row] = []
            try:
                with path.open("rb") as file:
                    file.seek(offset)
                    while len(rows) < limit and (line := file.readline()):
                        if not line.endswith(b"\n") and not finished:
                            break
                        offset += len(line)
                        if line.strip():
                            rows.append(_parse(line, self._loads))
            except FileNotFoundError:
                continue
            if rows:
                return Batch(producer, tuple(rows), position, Position(number, offset))
        return None

    def _position(self, producer: str) -> Position:
        if producer not in self._positions:
            try:
                told = json.loads((self._folder / f"{producer}.ack").read_text())
                self._positions[producer] = Position(int(told["segment"]), int(told["offset"]))
            except (OSError, ValueError, KeyError, TypeError):
                self._positions[producer] = Position(0, 0)
        return self._positions[producer]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
