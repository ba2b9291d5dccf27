"""Makes guessing passwords slow."""

import threading
from dataclasses import dataclass

from barnhand.core.time import Clock

LONGEST_WAIT_S = 3600.0
REMEMBERED = 10_000
"""Pairs of address and person that are remembered; the oldest is forgotten first."""


@dataclass
class _Record:
    failures: int
    until: float


class Throttle:
    """Counts failures by key; after ``tries`` of them the key has to wait, twice as long each time."""

    def __init__(self, tries: int, wait_s: float, clock: Clock) -> None:
        self._tries = tries
        self._wait_s = wait_s
        self._clock = clock
        self._lock = threading.Lock()
        self._records: dict[str, _Record] = {}

    def wait(self, key: str) -> float:
        """Seconds ``key`` still has to wait, 0 when it may try."""
        with self._lock:
            record = self._records.get(key)
            return 0.0 if record is None else max(0.0, record.until - self._clock.monotonic())

    def failed(self, key: str) -> None:
        """Count a failure."""
        with self._lock:
            record = self._records.pop(key, _Record(0, 0.0))
            record.failures += 1
            beyond = record.failures - self._tries
            if beyond >= 0:
                record.until = self._clock.monotonic() + min(LONGEST_WAIT_S, self._wait_s * 2 ** min(beyond, 20))
            self._records[key] = record
            while len(self._records) > REMEMBERED:
                del self._records[next(iter(self._records))]

    def succeeded(self, key: str) -> None:
        """Forget the failures of ``key``."""
        with self._lock:
            self._records.pop(key, None)
