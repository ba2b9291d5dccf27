"""Recordings that were not analysed live, analysed when there is time."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from barnhand.analyst.coverage import Coverage
from barnhand.analyst.options import AnalystOptions
from barnhand.analyst.pace import Pace
from barnhand.analyst.pipeline import Pipeline
from barnhand.core.chunk import Chunk, ChunkState
from barnhand.core.errors import BarnHandError
from barnhand.core.frame import Frame
from barnhand.core.media import InitSegment
from barnhand.core.observation import Observation
from barnhand.core.time import SECOND_US, Clock
from barnhand.fragments.decoder import FragmentDecoder
from barnhand.fragments.reader import read_chunk

_LOG = logging.getLogger(__name__)
POLL_S = 10.0
REMEMBERED = 10_000
EPOCH_US = 1_767_225_600 * SECOND_US
"""2026-01-01T00:00:00Z: what track ids count from."""


class ChunkQueue(Protocol):
    """The chunks nobody has analysed yet. ``pending`` may block; it is called from a thread of its own."""

    def pending(self, limit: int) -> Sequence[Chunk]:
        """Closed chunks, oldest first, that are pending or failed fewer than three times."""

    def mark(self, chunk_id: str, state: ChunkState, cause: str | None) -> None:
        """Say how the analysis of a chunk ended; a cause goes with a failure."""


def live_id(wall_us: int) -> int:
    """First track id of a live pipeline without a predecessor: seconds since 2026, as tracks are fewer than seconds."""
    return max((wall_us - EPOCH_US) // SECOND_US, 1)


def history_id(wall_us: int) -> int:
    """First track id of a pipeline over recordings: apart from all live ones, and exact in a browser's numbers (< 2^53)."""
    return (1 << 41) + max((wall_us - EPOCH_US) // 1000, 0)


class History:
    """Works through a ``ChunkQueue`` in small steps, so that live pictures never wait long.

    A chunk whose time the live analysis covered without a hole is marked analysed and not looked at again; of one with
    holes, only the pictures in the holes are analysed.
    """

    def __init__(
        self,
        queue: ChunkQueue,
        recordings: Path,
        clock: Clock,
        options: AnalystOptions,
        pipeline: Callable[[int], Pipeline],
        publish: Callable[[Observation], None],
    ) -> None:
        """``pipeline`` makes one whose first track id is the given; ``publish`` keeps an observation."""
        self._queue = queue
        self._recordings = recordings
        self._clock = clock
        self._options = options
        self._make = pipeline
        self._publish = publish
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="chunk-queue")
        self._asked: Future[Sequence[Chunk]] | None = None
        self._asked_at = -POLL_S
        self._todo: list[Chunk] = []
        self._done: OrderedDict[str, None] = OrderedDict()
        self._failures: dict[str, tuple[int, float]] = {}
        self._work: tuple[Chunk, Iterator[None]] | None = None
        self._last: dict[str, tuple[int, Pipeline]] = {}

    @property
    def busy(self) -> bool:
        """Whether a chunk is under way."""
        return self._work is not None

    def step(self, coverages: Mapping[str, Coverage]) -> bool:
        """Do a little: at most one picture. False when there is nothing to do. ``coverages`` are of the streams in care."""
        if self._work is None:
            chunk = self._next(coverages)
            if chunk is None:
                return False
            self._work = (chunk, self._analyse(chunk, coverages[chunk.stream_id]))
        chunk, work = self._work
        try:
            next(work)
        except StopIteration:
            self._finish(chunk, ChunkState.ANALYSED, None)
        except (BarnHandError, OSError) as error:
            self._finish(chunk, ChunkState.FAILED, str(error))
        except Exception as error:  # noqa: BLE001 - the edge of a worker: one bad recording must not stop the others
            _LOG.exception("stream %s: chunk %s cannot be analysed", chunk.stream_id, chunk.path)
            self._finish(chunk, ChunkState.FAILED, f"{type(error).__name__}: {error}")
        return True

    def close(self) -> None:
        """Ask no more; what is under way is left to the next analyst."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _next(self, coverages: Mapping[str, Coverage]) -> Chunk | None:
        self._ask()
        now_us = self._clock.wall_us()
        while self._todo:
            chunk = self._todo.pop(0)
            if chunk.id in self._done or chunk.stream_id not in coverages or not chunk.closed:
                continue
            if now_us - chunk.end_us < self._options.history_after_s * SECOND_US or not self._may_try(chunk.id):
                continue
            if coverages[chunk.stream_id].covers(chunk.start_us, chunk.end_us):
                self._finish(chunk, ChunkState.ANALYSED, None)
                continue
            return chunk
        return None

    def _ask(self) -> None:
        """Fetch the next chunks in the background: the database may be slow or away."""
        if self._asked is not None and self._asked.done():
            try:
                self._todo = list(self._asked.result())
            except (BarnHandError, OSError) as error:
                _LOG.info("the chunks to analyse cannot be asked for now: %s", error)
            self._asked = None
        elif self._asked is None and not self._todo and self._clock.monotonic() - self._asked_at >= POLL_S:
            self._asked_at = self._clock.monotonic()
            self._asked = self._pool.submit(self._queue.pending, 100)

    def _may_try(self, chunk_id: str) -> bool:
        tries, at = self._failures.get(chunk_id, (0, 0.0))
        wait = self._options.history_retry_s * tries
        return tries < self._options.tries and (tries == 0 or self._clock.monotonic() - at >= wait)

    def _finish(self, chunk: Chunk, state: ChunkState, cause: str | None) -> None:
        self._work = None
        if state is ChunkState.FAILED:
            tries, _ = self._failures.pop(chunk.id, (0, 0.0))
            self._failures[chunk.id] = (tries + 1, self._clock.monotonic())
            while len(self._failures) > REMEMBERED:
                del self._failures[next(iter(self._failures))]
        else:
            self._done[chunk.id] = None
            while len(self._done) > REMEMBERED:
                self._done.popitem(last=False)
        self._queue.mark(chunk.id, state, cause)

    def _analyse(self, chunk: Chunk, live: Coverage) -> Iterator[None]:
        """The pictures of a chunk that live analysis left out, one a step."""
        end_us, pipeline = self._last.get(chunk.stream_id, (0, None))
        if pipeline is None or not 0 <= chunk.start_us - end_us <= self._options.joined_s * SECOND_US:
            pipeline = self._make(history_id(chunk.start_us))
        period_us, pace = round(SECOND_US / self._options.fps), Pace()
        # Decided before the first picture: the live analysis of this stretch is over, and spans may be thinned meanwhile.
        spans = Coverage(self._options.joined_s, live.spans)
        decoder: FragmentDecoder | None = None
        for segment in read_chunk(self._recordings / chunk.path, chunk.stream_id):
            if isinstance(segment, InitSegment):
                decoder = FragmentDecoder(segment)
                continue
            if decoder is None or not decoder.wants(segment):
                continue
            want = not spans.has(segment.wall_us) and pace.due(segment.wall_us, period_us)
            if want:
                pace.took(segment.wall_us, period_us)
            for frame in decoder.decode(segment, want):
                self._observe(pipeline, frame)
                yield
        for frame in decoder.flush() if decoder is not None else []:
            self._observe(pipeline, frame)
            yield
        self._last[chunk.stream_id] = (chunk.end_us, pipeline)

    def _observe(self, pipeline: Pipeline, frame: Frame) -> None:
        self._publish(pipeline.process(frame))
