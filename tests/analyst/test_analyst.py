"""The worker: live pictures at a rate, under load, over restarts, and recordings when there is time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.analyst.blobs import START_US, BlobDetector, BlobEmbedder, walker
from tests.analyst.tape import Shelf, TapeHub, camera, record

from barnhand.analyst.analyst import Analyst
from barnhand.analyst.camera import Camera
from barnhand.analyst.coverage import Coverage
from barnhand.analyst.options import AnalystOptions
from barnhand.analyst.pipeline import Pipeline
from barnhand.analyst.rate import RateKeeper
from barnhand.analyst.stages import Stages
from barnhand.core.chunk import Chunk, ChunkState
from barnhand.core.detection import Detections
from barnhand.core.frame import Image
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.observation import Observation
from barnhand.core.time import SECOND_US, FakeClock
from barnhand.identity.gallery import Gallery


class SlowDetector(BlobDetector):
    """Takes fake time, and breaks on the picture it is told."""

    def __init__(self, clock: FakeClock, seconds: float = 0.0, breaks_at: int = -1) -> None:
        super().__init__()
        self.clock, self.seconds, self.breaks_at = clock, seconds, breaks_at

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        self.clock.advance(self.seconds * len(frames))
        if self.pictures == self.breaks_at:
            self.pictures += 1
            raise RuntimeError("a stage that breaks")
        return super().detect(frames)


def play(hub: TapeHub, stages: Stages, shelf: Shelf | None = None, **more: object) -> Shelf:
    """Run an analyst over the tape to its end."""
    shelf = shelf or Shelf()
    ids = sorted({segment.stream_id for segment in hub.queue})
    analyst = Analyst(hub, shelf, lambda: stages, hub.clock, **more)  # type: ignore[arg-type]
    analyst.reconcile([camera(name) for name in ids])
    assert hub.ended.wait(60)
    analyst.stop()
    assert not analyst.alive()
    return shelf


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> list[InitSegment | Fragment]:
    path = tmp_path_factory.mktemp("tape") / "walk.mp4"
    return record(path, lambda t: {"red": walker(t, speed=20)}, 10)


def hub_of(*tapes: Sequence[InitSegment | Fragment]) -> TapeHub:
    return TapeHub(tapes, FakeClock(START_US))


def rates(hub: TapeHub, stream_id: str = "cam") -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    times = [o.wall_us for o in hub.observations if o.stream_id == stream_id]
    return np.diff(times) / SECOND_US


def test_five_pictures_a_second_are_analysed_told_and_kept(walk: list[InitSegment | Fragment]) -> None:
    hub = hub_of(walk)
    shelf = play(hub, Stages(BlobDetector(), embed=BlobEmbedder()), gallery=Gallery(12))
    assert len(hub.observations) == pytest.approx(50, abs=2)
    assert np.allclose(rates(hub), 0.2, atol=0.05)
    assert [row["wall_us"] for row in shelf.of("observation")] == [o.wall_us for o in hub.observations]
    fragments = {s.wall_us: s.pts for s in walk if isinstance(s, Fragment)}
    assert all(fragments[o.wall_us] == o.pts for o in hub.observations)
    (horse,) = hub.observations[-1].horses
    late = (hub.observations[-1].wall_us - START_US) / SECOND_US
    assert np.allclose(horse.box, walker(late, speed=20), atol=4)
    assert horse.identity.name == "Unknown 1"
    assert hub.states[-1].details["fps"] == 5.0


def ages(hub: TapeHub) -> list[float]:
    """How old each picture is when its observation comes, s; filled while the analyst runs."""
    found: list[float] = []
    publish = hub.publish_observation

    def note(observation: Observation) -> None:
        found.append((hub.clock.wall_us() - observation.wall_us) / SECOND_US)
        publish(observation)

    hub.publish_observation = note  # type: ignore[method-assign]
    return found


def test_a_machine_too_slow_analyses_less_says_so_and_never_falls_behind(walk: list[InitSegment | Fragment]) -> None:
    hub = hub_of(walk)
    found = ages(hub)
    play(hub, Stages(SlowDetector(hub.clock, 0.5)))
    assert 12 <= len(hub.observations) <= 22
    assert max(found) <= 2
    assert {name for name, _ in hub.events} == {"analyst:rate"}
    assert min(payload["fps"] for _, payload in hub.events) < 3
    assert any("busy" in state.message for state in hub.states)


@pytest.mark.parametrize(("most", "skips"), [(256, 0), (10, 1)], ids=["read at once", "more than one read"])
def test_a_backlog_is_left_out_up_to_the_newest_key_frame(walk: list[InitSegment | Fragment], most: int, skips: int) -> None:
    hub = TapeHub([walk], FakeClock(START_US), most)
    found = ages(hub)

    class Hiccup(SlowDetector):
        def detect(self, frames: Sequence[Image]) -> list[Detections]:
            self.seconds = 4.5 if self.pictures == 5 else 0.0
            return super().detect(frames)

    play(hub, Stages(Hiccup(hub.clock)))
    assert hub.skips == skips
    assert max(found[:5] + found[6:]) <= 2
    assert 3 < rates(hub).max() < 6
    assert (hub.observations[-1].wall_us - START_US) / SECOND_US > 9


def test_a_successor_goes_on_with_the_same_tracks(walk: list[InitSegment | Fragment], tmp_path: Path) -> None:
    first = hub_of(walk[:126])
    play(first, Stages(BlobDetector(), embed=BlobEmbedder()))
    second = TapeHub([[walk[0], *walk[126:]]], FakeClock(START_US + 5 * SECOND_US))
    second.checkpoints = first.checkpoints
    play(second, Stages(BlobDetector(), embed=BlobEmbedder()))
    ids = {h.track_id for o in (*first.observations, *second.observations) for h in o.horses}
    assert len(ids) == 1
    hour_us = START_US + 3600 * SECOND_US
    fresh = TapeHub([record(tmp_path / "later.mp4", lambda t: {"red": walker(t)}, 3, start_us=hour_us)], FakeClock(hour_us))
    play(fresh, Stages(BlobDetector()))
    later = {h.track_id for o in fresh.observations for h in o.horses}
    assert later
    assert min(later) > max(ids)


def test_a_damaged_checkpoint_costs_the_tracks_not_the_camera(walk: list[InitSegment | Fragment]) -> None:
    hub = hub_of(walk[:60])
    hub.checkpoints["analyst:cam"] = b"{}"
    play(hub, Stages(BlobDetector()))
    assert hub.observations[-1].horses


def test_a_picture_that_breaks_a_stage_is_left_out(walk: list[InitSegment | Fragment]) -> None:
    hub = hub_of(walk)
    play(hub, Stages(SlowDetector(hub.clock, breaks_at=10)))
    assert len(hub.observations) == pytest.approx(49, abs=2)


def test_the_hub_may_be_away(walk: list[InitSegment | Fragment]) -> None:
    hub = hub_of(walk)
    hub.away_reads = 3
    play(hub, Stages(BlobDetector()))
    assert len(hub.observations) > 35


@pytest.mark.parametrize("together", [1, 4])
def test_cameras_share_one_process(walk: list[InitSegment | Fragment], tmp_path: Path, together: int) -> None:
    other = record(tmp_path / "other.mp4", lambda t: {"blue": walker(t, y=90), "green": walker(t, speed=5, y=10)}, 6, "two")
    hub = hub_of(walk[:151], other)
    play(hub, Stages(BlobDetector()), options=AnalystOptions(together=together))
    assert np.allclose(rates(hub, "cam"), 0.2, atol=0.05)
    assert np.allclose(rates(hub, "two"), 0.2, atol=0.05)
    assert {len(o.horses) for o in hub.observations[6:] if o.stream_id == "two"} == {2}


class Queue:
    """Chunks on disk, and what was said of them."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self.chunks, self.marks = list(chunks), list[tuple[str, ChunkState, str | None]]()

    def pending(self, limit: int) -> Sequence[Chunk]:
        done = {chunk_id for chunk_id, state, _ in self.marks if state is ChunkState.ANALYSED}
        return [chunk for chunk in self.chunks if chunk.id not in done][:limit]

    def mark(self, chunk_id: str, state: ChunkState, cause: str | None) -> None:
        self.marks.append((chunk_id, state, cause))


def chunk_of(folder: Path, name: str, segments: Sequence[InitSegment | Fragment]) -> Chunk:
    (folder / name).write_bytes(b"".join(segment.data for segment in segments))
    pictures = [s for s in segments if isinstance(s, Fragment)]
    start, end = pictures[0], pictures[-1]
    span = (start.wall_us, end.wall_us + 40_000, start.pts, end.pts + 3600)
    size = (folder / name).stat().st_size
    return Chunk(name, "cam", name, 1, *span, size, 1, len(pictures), "h264", "video/mp4", 320, 192, False, True)


def watch(hub: TapeHub, queue: Queue, folder: Path, marks: int) -> Shelf:
    """Run an analyst until the queue was told so many times."""
    shelf = Shelf()
    stages = Stages(BlobDetector(), embed=BlobEmbedder())
    analyst = Analyst(hub, shelf, lambda: stages, hub.clock, chunks=queue, recordings=folder)
    analyst.reconcile([camera()])
    for _ in range(600):
        if len(queue.marks) >= marks:
            break
        hub.ended.clear()
        hub.ended.wait(0.05)
    analyst.stop()
    return shelf


def test_recordings_not_analysed_live_are_analysed_later(walk: list[InitSegment | Fragment], tmp_path: Path) -> None:
    queue = Queue([chunk_of(tmp_path, "whole", walk), chunk_of(tmp_path, "cut", walk)])
    (tmp_path / "cut").write_bytes((tmp_path / "whole").read_bytes()[:100])
    hub = TapeHub([], FakeClock(START_US + 120 * SECOND_US))
    shelf = watch(hub, queue, tmp_path, 4)
    assert queue.marks[0] == ("whole", ChunkState.ANALYSED, None)
    assert [(m[0], m[1]) for m in queue.marks[1:]] == [("cut", ChunkState.FAILED)] * 3
    assert all(cause and "chunk" in cause for _, _, cause in queue.marks[1:])
    rows = shelf.of("observation")
    assert len(rows) == pytest.approx(50, abs=2)
    assert all(row["horses"][0]["track_id"] > 1 << 40 for row in rows[5:])
    assert not hub.observations


def test_what_was_analysed_live_is_not_analysed_again(walk: list[InitSegment | Fragment], tmp_path: Path) -> None:
    queue = Queue([chunk_of(tmp_path, "live", walk)])
    hub = hub_of(walk)
    shelf = watch(hub, queue, tmp_path, 1)
    assert queue.marks == [("live", ChunkState.ANALYSED, None)]
    assert len(shelf.of("observation")) == len(hub.observations)


def test_only_the_hole_in_the_live_analysis_is_analysed_later(walk: list[InitSegment | Fragment], tmp_path: Path) -> None:
    queue = Queue([chunk_of(tmp_path, "holed", walk)])
    hub = hub_of([*walk[:75], *(s for s in walk[175:])])
    shelf = watch(hub, queue, tmp_path, 1)
    times = sorted({(row["wall_us"] - START_US) / SECOND_US for row in shelf.of("observation")})
    assert len(times) == len(shelf.of("observation"))
    assert max(np.diff(times)) < 0.5
    assert len(times) == pytest.approx(50, abs=4)


@pytest.mark.parametrize(
    ("pictures", "stretch", "covered"),
    [
        (range(11), (0, 10), True),
        (range(1, 9), (0, 10), True),
        ([0, 1, 2, 6, 7, 8, 9, 10], (0, 10), False),
        (range(6), (0, 10), False),
        (range(20, 30), (0, 10), False),
        ([], (0, 10), False),
    ],
)
def test_coverage(pictures: Sequence[int], stretch: tuple[int, int], covered: bool) -> None:
    coverage = Coverage(2.0)
    for second in pictures:
        coverage.add(second * SECOND_US)
    assert coverage.covers(stretch[0] * SECOND_US, stretch[1] * SECOND_US) is covered
    assert Coverage(2.0, coverage.spans).spans == coverage.spans


def test_the_rate_goes_down_under_load_and_comes_back() -> None:
    rate = RateKeeper(5.0, 1.0)
    rate.tick(0.0)
    for second in range(1, 20):
        rate.worked(0.95)
        rate.tick(float(second))
    assert rate.fps == 1.0
    for second in range(20, 60):
        rate.worked(0.2)
        rate.tick(float(second))
    assert rate.fps == 5.0
    assert rate.period_us == 200_000


def test_pictures_that_come_too_late_are_told_as_passed_over_not_as_missing(walk: list[InitSegment | Fragment]) -> None:
    camera = Camera("cam", Pipeline(Stages(BlobDetector())), AnalystOptions())
    assert camera.since_told() == (0, 0)
    for segment in walk:
        camera.take(segment, segment.wall_us + 10 * SECOND_US, SECOND_US // 5)
    analysed, dropped = camera.since_told()
    assert analysed == 0
    assert dropped == pytest.approx(50, abs=2)
    assert camera.since_told() == (0, 0)
