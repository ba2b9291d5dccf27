"""Keeps the galleries of several analysts, the store and a cache file in step.

What this process learns goes to the spool and, as the event ``gallery``, to the other analysts; what they learn and what
people correct comes the same way. A cache file brings everybody back when the database is away at the start.
"""

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from barnhand.core.errors import BarnHandError, HubError
from barnhand.core.time import Clock
from barnhand.identity.gallery import Gallery, GalleryOptions

_LOG = logging.getLogger(__name__)
EVENT = "gallery"
CACHE_S = 30.0


class Events(Protocol):
    """A reader of events (``hub.EventReader``)."""

    def read(self, block_ms: int = 1000) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Name and payload of what happened since the last read."""


class EventHub(Protocol):
    """What is needed of the hub."""

    def publish_event(self, name: str, payload: Mapping[str, Any]) -> None:
        """Tell everybody."""

    def events(self) -> Events:
        """A reader of what happens from now on."""


class Rows(Protocol):
    """Where rows go (``store.Spool``)."""

    def append(self, kind: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows of one kind."""


class GalleryLink:
    """Owns this process's gallery and its connections. ``origin`` names the process, so that it does not hear itself.

    ``network`` names what makes the vectors of length ``size``: looks of another are passed over.
    """

    def __init__(
        self,
        size: int,
        hub: EventHub,
        spool: Rows,
        clock: Clock,
        origin: str,
        cache: Path | None = None,
        options: GalleryOptions | None = None,
        network: str = "",
    ) -> None:
        self.gallery = Gallery(size, options, self._changed, network)
        self._hub = hub
        self._spool = spool
        self._clock = clock
        self._origin = origin
        self._cache = cache
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, rows: Iterable[tuple[str, Mapping[str, Any]]] = ()) -> None:
        """Load the cache, then ``rows`` (what the store knows, as ``(kind, row)``), and listen."""
        if self._cache is not None and self._cache.is_file():
            try:
                self.gallery.loads(self._cache.read_bytes())
            except (OSError, ValueError) as error:
                _LOG.warning("the gallery's cache %s cannot be used: %s", self._cache, error)
        self.gallery.load(rows)
        self._thread = threading.Thread(target=self._listen, name="gallery", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write the cache and end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self._write()

    def _changed(self, kind: str, row: Mapping[str, Any]) -> None:
        try:
            self._spool.append(kind, [row])
        except BarnHandError as error:
            _LOG.error("a %s of the gallery is not kept: %s", kind, error)
        try:
            self._hub.publish_event(EVENT, {"origin": self._origin, "kind": kind, "row": dict(row)})
        except HubError:
            _LOG.debug("a %s of the gallery was not told, the hub is away", kind)

    def _listen(self) -> None:
        reader, written_at = self._hub.events(), self._clock.monotonic()
        while not self._stop.is_set():
            try:
                events = reader.read(block_ms=500)
            except HubError:
                self._clock.sleep(1.0)
                continue
            for name, payload in events:
                if name == EVENT and payload.get("origin") != self._origin:
                    self._apply(payload)
            if self._clock.monotonic() - written_at >= CACHE_S:
                written_at = self._clock.monotonic()
                self._write()

    def _apply(self, payload: Mapping[str, Any]) -> None:
        try:
            self.gallery.apply(str(payload["kind"]), payload["row"])
        except (KeyError, TypeError, ValueError) as error:
            _LOG.warning("an event of the gallery is not understood: %s", error)

    def _write(self) -> None:
        if self._cache is None:
            return
        part = self._cache.with_name(f"{self._cache.name}.{self._origin}.part")
        try:
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(self.gallery.dump())
            part.replace(self._cache)
        except OSError as error:
            _LOG.warning("the gallery's cache %s cannot be written: %s", self._cache, error)
