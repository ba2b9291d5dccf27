"""Integer time and the clocks that tell it.

Wall time is ``wall_us``: integer microseconds since the Unix epoch, UTC. Media time is ``pts``: integer ticks of 90 kHz
(ITU-T H.222.0) on an epoch base, so that ``pts / 90000`` is wall-clock seconds. Logic never asks the operating system
for the time: it is given a ``Clock``.
"""

import threading
import time
from datetime import UTC, datetime
from typing import Protocol

PTS_HZ = 90_000
SECOND_US = 1_000_000


class Clock(Protocol):
    """What logic may ask about time."""

    def wall_us(self) -> int:
        """Microseconds since the Unix epoch, UTC; may jump."""

    def monotonic(self) -> float:
        """Seconds that only go forward; the zero is arbitrary."""

    def sleep(self, seconds: float) -> None:
        """Block the calling thread."""


class SystemClock:
    """The operating system's clocks."""

    def wall_us(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds of the system's monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block the calling thread."""
        time.sleep(seconds)


class FakeClock:
    """A clock that moves only when told: ``sleep`` and ``advance`` move both times, ``jump`` the wall alone."""

    def __init__(self, wall_us: int = 1_800_000_000_000_000) -> None:
        self._lock = threading.Lock()
        self._wall_us = wall_us
        self._monotonic = 0.0

    def wall_us(self) -> int:
        """Microseconds since the Unix epoch, as last set."""
        with self._lock:
            return self._wall_us

    def monotonic(self) -> float:
        """Seconds moved since the clock was made."""
        with self._lock:
            return self._monotonic

    def sleep(self, seconds: float) -> None:
        """Advance instead of waiting."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass on both clocks."""
        with self._lock:
            self._wall_us += round(seconds * SECOND_US)
            self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, as a time server would."""
        with self._lock:
            self._wall_us += round(seconds * SECOND_US)


def pts_of_wall(wall_us: int) -> int:
    """Media time on the epoch base: microseconds × 0.09, rounded down."""
    return wall_us * 9 // 100


def wall_of_pts(pts: int) -> int:
    """Wall time of an epoch-based pts, in microseconds."""
    return pts * 100 // 9


def iso(wall_us: int) -> str:
    """RFC 3339 with microseconds, e.g. ``2026-11-22T03:04:05.000006Z``."""
    moment = datetime.fromtimestamp(wall_us // SECOND_US, UTC).replace(microsecond=wall_us % SECOND_US)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def wall_of_datetime(moment: datetime) -> int:
    """Microseconds since the epoch of an aware datetime. Raises ``ValueError`` for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("the time needs a zone; append Z for UTC")
    delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * SECOND_US + delta.microseconds


def datetime_of_wall(wall_us: int) -> datetime:
    """Aware UTC datetime of ``wall_us``."""
    return datetime.fromtimestamp(wall_us // SECOND_US, UTC).replace(microsecond=wall_us % SECOND_US)
