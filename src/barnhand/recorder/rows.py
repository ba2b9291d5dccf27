"""Rows on their way to the spool, kept in memory while even the spool's disk is full."""

import logging
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from barnhand.core.chunk import Chunk, Gap
from barnhand.core.errors import BarnHandError
from barnhand.recorder.ports import RowSpool

_LOG = logging.getLogger(__name__)
_KEPT = 100_000  # rows; at a chunk each ten seconds this is a day and a half of eight cameras


class Rows:
    """Appends rows in order; never raises and never blocks longer than the disk does. Shared by all cameras."""

    def __init__(self, spool: RowSpool) -> None:
        self._spool = spool
        self._lock = threading.Lock()
        self._waiting: deque[tuple[str, Mapping[str, Any]]] = deque(maxlen=_KEPT)

    def chunk(self, chunk: Chunk) -> None:
        """Insert or replace a chunk's row."""
        self._append("chunk", asdict(chunk))

    def deleted(self, chunk_id: str) -> None:
        """Remove a chunk's row."""
        self._append("chunk_deleted", {"id": chunk_id})

    def gap(self, gap: Gap) -> None:
        """Insert or replace a gap's row; its key is the stream and ``start_us``."""
        self._append("gap", {**asdict(gap), "cause": gap.cause.value})

    def settle(self) -> bool:
        """Try again what waits; true when nothing does any more."""
        with self._lock:
            return self._drain()

    def _append(self, kind: str, row: Mapping[str, Any]) -> None:
        with self._lock:
            self._waiting.append((kind, row))
            self._drain()

    def _drain(self) -> bool:
        while self._waiting:
            kind, row = self._waiting[0]
            try:
                self._spool.append(kind, [row])
            except (BarnHandError, OSError) as error:
                if len(self._waiting) == 1:
                    _LOG.warning("rows are kept in memory until the spool takes them: %s", error)
                return False
            self._waiting.popleft()
        return True
