"""What an analyst is made of on this machine: the networks in use, the gallery, the chunks to look back at."""

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2

from barnhand.analyst.gallery_link import EventHub, GalleryLink, Rows
from barnhand.analyst.networks import gallery_options, load_stages
from barnhand.analyst.stages import Stages
from barnhand.core.chunk import Chunk, ChunkState
from barnhand.core.errors import BarnHandError
from barnhand.core.time import Clock
from barnhand.identity.embedder import Embedder
from barnhand.networks.session import Device, SessionOptions
from barnhand.networks.shelf import Shelf

log = logging.getLogger(__name__)


def open_stages(models: Path, device: str) -> Stages:
    """The networks in use; one that is missing is said once in the log and its step left out. A detector there must be."""
    # One thread a worker: several workers with one thread each beat one with several (docs/design/networks.md).
    cv2.setNumThreads(1)
    return load_stages(
        Shelf(models),
        SessionOptions(device=Device(device)),
        lambda step, error: log.warning("%s is left out: %s", step, error),
    )


def open_gallery(
    stages: Stages, hub: EventHub, spool: Rows, clock: Clock, worker: str, cache: Path, known: Callable[[], Iterator[Any]]
) -> GalleryLink | None:
    """The gallery of this process, with what the cache and the store know; ``None`` when nothing tells horses apart."""
    embedder = stages.embed
    if not isinstance(embedder, Embedder):
        return None
    # Vectors of different networks cannot be compared, so each network has a cache of its own.
    path = cache / f"gallery-{embedder.mark}.json"
    link = GalleryLink(embedder.size, hub, spool, clock, worker, path, gallery_options(embedder), embedder.mark)
    rows: list[Any] = []
    try:
        rows = list(known())
    except BarnHandError as error:
        log.warning("the horses known are taken from the cache: %s", error)
    link.start(rows)
    return link


class StoredChunks:
    """The chunks still to be analysed: asked of the store, answered through the spool."""

    def __init__(self, ask: Callable[[int], Sequence[Chunk]], spool: Rows) -> None:
        self._ask = ask
        self._spool = spool

    def pending(self, limit: int) -> Sequence[Chunk]:
        """Closed chunks that nobody has analysed yet, oldest first."""
        return self._ask(limit)

    def mark(self, chunk_id: str, state: ChunkState, cause: str | None) -> None:
        """Say how the analysis of a chunk ended."""
        self._spool.append("chunk_analysed", [{"id": chunk_id, "state": state.value, "cause": cause}])
