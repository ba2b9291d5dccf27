"""What an analyst is made of on this machine: the networks in use, the gallery, the chunks to look back at."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from barnhand.analyst.gallery_link import EventHub, GalleryLink, Rows
from barnhand.analyst.stages import Stages
from barnhand.core.chunk import Chunk, ChunkState
from barnhand.core.errors import BarnHandError
from barnhand.core.time import Clock
from barnhand.detect.detector import DetectOptions, Detector
from barnhand.identity.decision import Calibration
from barnhand.identity.embedder import Embedder, EmbedOptions
from barnhand.identity.gallery import GalleryOptions
from barnhand.networks.session import Device, SessionOptions
from barnhand.networks.shelf import Shelf
from barnhand.pose.estimator import PoseEstimator, PoseOptions

log = logging.getLogger(__name__)


def load_stages(models: Path, device: str) -> tuple[Stages, Embedder]:
    """The networks in use. Raises ``ModelError`` or ``NotFoundError`` when one is missing or damaged."""
    shelf = Shelf(models)
    session = SessionOptions(device=Device(device))
    embedder = Embedder.load(shelf, EmbedOptions(session=session))
    stages = Stages(
        detect=Detector.load(shelf, DetectOptions(session=session)),
        pose=PoseEstimator.load(shelf, PoseOptions(session=session)),
        embed=embedder,
    )
    return stages, embedder


def open_gallery(
    embedder: Embedder, hub: EventHub, spool: Rows, clock: Clock, worker: str, cache: Path, known: Callable[[], Iterator[Any]]
) -> GalleryLink:
    """The gallery of this process, with what the cache and the store know. A store that is away is done without."""
    distances = getattr(embedder.network, "distances", None)
    options = GalleryOptions(
        calibration=Calibration.of_distances(distances) if isinstance(distances, Mapping) else Calibration()
    )
    # Vectors of different networks cannot be compared, so each network has a cache of its own.
    link = GalleryLink(
        embedder.size, hub, spool, clock, worker, cache / f"gallery-{embedder.name}-{embedder.size}.json", options
    )
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
