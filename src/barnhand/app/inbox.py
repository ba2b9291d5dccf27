"""What a worker process is told: its configuration first, then instructions, then the end."""

import json
import logging
import os
import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any

log = logging.getLogger(__name__)


def lines_of(descriptor: int) -> Iterator[bytes]:
    """Lines read straight from a file descriptor.

    Not from ``sys.stdin``: a thread waiting inside its buffer holds a lock the interpreter needs to shut down.
    """
    rest = b""
    while data := os.read(descriptor, 65_536):
        *lines, rest = (rest + data).split(b"\n")
        yield from lines
    yield rest


class Inbox:
    """Lines of JSON from the parent. ``stop`` is set when the parent closes the pipe or dies."""

    def __init__(self, lines: Iterable[bytes] | None = None) -> None:
        self.stop = threading.Event()
        self._lines: Iterable[bytes] = lines_of(0) if lines is None else lines
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
