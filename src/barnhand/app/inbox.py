"""What a worker process is told: its configuration first, then instructions, then the end."""

import json
import logging
import queue
import sys
import threading
from collections.abc import Iterable
from typing import IO, Any

log = logging.getLogger(__name__)


class Inbox:
    """Lines of JSON from the parent. ``stop`` is set when the parent closes the pipe or dies."""

    def __init__(self, lines: IO[bytes] | Iterable[bytes] | None = None) -> None:
        self.stop = threading.Event()
        self._lines: Iterable[bytes] = sys.stdin.buffer if lines is None else lines
        self._waiting: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def next(self, seconds: float) -> dict[str, Any] | None:
        """The next message, or ``None`` when none came in time or the end did."""
        try:
            return self._waiting.get(timeout=seconds)
        except queue.Empty:
            return None

    def _read(self) -> None:
        for line in self._lines:
            if line.strip():
                self._waiting.put(json.loads(line))
        log.info("the parent closed the pipe; stopping")
        self.stop.set()
