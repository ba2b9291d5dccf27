"""Which cameras are to run: from the store, or from the cache while the database is away."""

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from barnhand.app.fleet import instruction
from barnhand.core.errors import BarnHandError
from barnhand.core.stream import SourceType, Stream
from barnhand.store.secrets import SecretBox

log = logging.getLogger(__name__)

PURPOSE = "streams-cache"


def streams_of(message: dict[str, Any]) -> list[Stream]:
    """The streams of an instruction, as a worker is told them."""
    return [
        Stream(
            id=entry["id"],
            name=entry["name"],
            source_type=SourceType(entry["source_type"]),
            source_url=entry["source_url"],
            config=entry["config"],
            secret=entry["secret"],
        )
        for entry in message["streams"]
    ]


class WantedStreams:
    """The list the store gives, kept encrypted in ``path`` so that cameras record when BarnHand starts without it."""

    def __init__(self, ask: Callable[[], Sequence[Stream]], secrets: SecretBox, path: Path) -> None:
        self._ask = ask
        self._secrets = secrets
        self._path = path
        self._last: list[Stream] | None = None

    def read(self) -> list[Stream]:
        """The streams now; while the store is away, those it last named."""
        try:
            streams = list(self._ask())
        except BarnHandError as error:
            if self._last is None:
                self._last = self._cached()
                log.warning("%s; %d cameras are taken from the list last known", error, len(self._last))
            return self._last
        if streams != self._last:
            self._keep(streams)
            self._last = streams
        return streams

    def _keep(self, streams: Sequence[Stream]) -> None:
        data = self._secrets.close(json.dumps(instruction(streams)), PURPOSE)
        new = self._path.with_suffix(".new")
        try:
            new.write_bytes(data)
            new.replace(self._path)
        except OSError as error:
            log.warning("the list of cameras is not cached: %s", error)

    def _cached(self) -> list[Stream]:
        try:
            return streams_of(json.loads(self._secrets.reveal(self._path.read_bytes(), PURPOSE)))
        except FileNotFoundError:
            return []
        except (BarnHandError, ValueError, KeyError, OSError):
            log.exception("the cached list of cameras cannot be read; it is made anew")
            return []
