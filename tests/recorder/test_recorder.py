"""Recording end to end, over real RTSP, with everything around it going wrong."""

import itertools
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.recorder.yard import QUICK, Hub, Spool, options, prove, stream, until
from tests.sources.clips import read

from barnhand.core.media import Fragment, InitSegment
from barnhand.core.stream import Cause, StreamState
from barnhand.core.time import SystemClock
from barnhand.fragments.decoder import FragmentDecoder
from barnhand.fragments.playlist import follows
from barnhand.fragments.reader import read_chunk
from barnhand.recorder.journal import load_journal
from barnhand.recorder.options import RecorderOptions
from barnhand.recorder.recorder import Recorder
from barnhand.sources.fake_camera import FakeCamera


@pytest.fixture
def spool() -> Spool:
    return Spool()


@pytest.fixture
def hub() -> Hub:
    return Hub()


def start(folder: Path, hub: Hub, spool: Spool, settings: RecorderOptions = QUICK) -> Recorder:
    return Recorder(folder, hub, spool, SystemClock(), settings)


def numbers(folder: Path, spool: Spool) -> Iterator[tuple[int, int]]:
    """``(pts, number in the pixels)`` of all that was recorded, in order."""
    for chunk in spool.chunks:
        init, *rest = read_chunk(folder / chunk.path, chunk.stream_id)
        assert isinstance(init, InitSegment)
        decoder = FragmentDecoder(init, exact=True)
        fragments = [f for f in rest if isinstance(f, Fragment)]
        for frame in [x for f in fragments for x in decoder.decode(f)] + decoder.flush():
            yield frame.pts, read(np.asarray(frame.image))


def closed(spool: Spool) -> int:
    return sum(chunk.closed for chunk in spool.chunks)


@pytest.mark.parametrize("name", ["plain", "b_frames", "hevc_b", "sound", "g711", "alaw"])
def test_every_picture_is_on_disk_on_the_hub_and_in_a_row(
    tmp_path: Path, clips: dict[str, Path], hub: Hub, spool: Spool, name: str
) -> None:
    with FakeCamera({name: clips[name]}) as camera:
        recorder = start(tmp_path, hub, spool)
        recorder.reconcile([stream(camera.url(name))])
        until(lambda: closed(spool) >= 3, "three chunks")
        recorder.stop()
    prove(tmp_path, spool)
    pictures = list(numbers(tmp_path, spool))
    assert len(pictures) >= 30
    for (pts, number), (next_pts, following) in itertools.pairwise(pictures):
        assert (following - number) % 50 == 1
        assert abs(next_pts - pts - 3600) <= 10
    chunks = spool.chunks
    assert chunks[0].discontinuity
    assert all(follows(a, b) and a.end_pts == b.start_pts for a, b in itertools.pairwise(chunks))
    on_disk = b"".join(f.data for c in chunks for f in read_chunk(tmp_path / c.path, "cam") if isinstance(f, Fragment))
    assert b"".join(f.data for f in hub.fragments) == on_disk
    assert ("mp4a" in chunks[0].mime) == (name in {"sound", "g711", "alaw"})
    assert [payload["id"] for kind, payload in hub.of(tuple) if kind == "chunk:created"] == [c.id for c in chunks]
    assert hub.causes == ["connecting", "none", "restarted"]
    assert spool.gaps == []
    assert abs(chunks[-1].end_us - SystemClock().wall_us()) < 60_000_000


def test_pictures_that_build_on_later_ones_and_a_loop_of_an_odd_length(
    tmp_path: Path, clips: dict[str, Path], hub: Hub, spool: Spool
) -> None:
    with FakeCamera({"a": clips["pyramid"]}) as camera:
        recorder = start(tmp_path, hub, spool)
        recorder.reconcile([stream(camera.url("a"))])
        until(lambda: sum(c.frames for c in spool.chunks if c.closed) > 141, "three passes")
        recorder.stop()
    prove(tmp_path, spool)
    pictures = list(numbers(tmp_path, spool))
    assert all((b - a) % 47 == 1 for (_, a), (_, b) in itertools.pairwise(pictures))
    assert all(a < b for (a, _), (b, _) in itertools.pairwise(pictures))
    seconds = (pictures[-1][0] - pictures[0][0]) / 90_000
    assert seconds == pytest.approx((len(pictures) - 1) / 30, abs=0.1)


def test_a_camera_that_goes_and_comes_leaves_one_gap_with_its_cause(
    tmp_path: Path, clips: dict[str, Path], hub: Hub, spool: Spool
) -> None:
    with FakeCamera({"a": clips["plain"]}) as camera:
        recorder = start(tmp_path, hub, spool)
        recorder.reconcile([stream(camera.url("a"))])
        until(lambda: closed(spool) >= 1, "a chunk")
        camera.switch_off()
        until(lambda: "unreachable" in hub.causes, "the camera to be missed")
        camera.switch_on()
        done = closed(spool)
        until(lambda: closed(spool) > done, "a chunk after its return")
        recorder.stop()
    prove(tmp_path, spool)
    (gap,) = spool.gaps
    before = [c for c in spool.chunks if c.end_us <= gap["start_us"]]
    after = [c for c in spool.chunks if c.start_us >= gap["end_us"]]
    assert len(before) + len(after) == len(spool.chunks)
    assert gap["start_us"] == before[-1].end_us
    assert gap["end_us"] == after[0].start_us
    assert gap["cause"] == "unreachable"
    assert after[0].discontinuity
    assert after[0].run > before[-1].run
    assert hub.causes[-2:] == ["none", "restarted"]


@pytest.mark.parametrize(("path", "cause"), [("nothing", Cause.NOT_FOUND), ("a", Cause.WRONG_PASSWORD)])
def test_a_camera_that_never_came_has_a_state_and_a_gap(
    tmp_path: Path, clips: dict[str, Path], hub: Hub, spool: Spool, path: str, cause: Cause
) -> None:
    login = {"user": "groom", "password": "hay"} if cause is Cause.WRONG_PASSWORD else {}
    with FakeCamera({"a": clips["plain"]}, **login) as camera:
        recorder = start(tmp_path, hub, spool)
        recorder.reconcile([stream(camera.url(path))])
        until(lambda: cause.value in hub.causes, "the state")
        recorder.stop()
    assert [(g["cause"], g["end_us"]) for g in spool.gaps] == [(cause.value, None)]
    assert spool.chunks == []


def test_a_frozen_camera_is_stalled_and_taken_up_again(tmp_path: Path, clips: dict[str, Path], hub: Hub, spool: Spool) -> None:
    with FakeCamera({"a": clips["plain"]}) as camera:
        recorder = start(tmp_path, hub, spool)
        recorder.reconcile([stream(camera.url("a"))])
        until(lambda: closed(spool) >= 1, "a chunk")
        camera.freeze("a")
        until(lambda: "stalled" in hub.causes, "the stall")
        camera.freeze("a", False)
        done = closed(spool)
        until(lambda: closed(spool) > done, "a chunk after it")
        recorder.stop()
    prove(tmp_path, spool)
    assert len(spool.gaps) == 1
    assert spool.gaps[0]["end_us"] is not None


def test_a_new_resolution_begins_a_run_and_a_chunk(tmp_path: Path, clips: dict[str, Path], hub: Hub, spool: Spool) -> None:
    with FakeCamera({"a": clips["plain"]}) as camera:
        recorder = start(tmp_path, hub, spool)
        recorder.reconcile([stream(camera.url("a"))])
        until(lambda: closed(spool) >= 1, "a chunk")
        camera.change("a", clips["small"])
        until(lambda: any(c.width == 160 and c.closed for c in spool.chunks), "a chunk of the new size")
        recorder.stop()
    prove(tmp_path, spool)
    sizes = [(c.width, c.height) for c in spool.chunks]
    assert sizes == sorted(sizes, reverse=True)
    first = next(c for c in spool.chunks if c.width == 160)
    assert first.discontinuity
    assert len({c.run for c in spool.chunks}) == 2
    inits = hub.of(InitSegment)
    assert [i.video.width for i in inits] == [320, 160]
    assert spool.gaps == []
    assert all(a.start_pts < b.start_pts for a, b in itertools.pairwise(spool.chunks))


def test_a_camera_that_restarts_its_timestamps_goes_on(tmp_path: Path, clips: dict[str, Path], hub: Hub, spool: Spool) -> None:
    with FakeCamera({"a": clips["plain"]}) as camera:
        recorder = start(tmp_path, hub, spool)
        recorder.reconcile([stream(camera.url("a"))])
        until(lambda: closed(spool) >= 1, "a chunk")
        camera.restart_timestamps("a")
        done = closed(spool)
        until(lambda: closed(spool) >= done + 2, "two chunks more")
        recorder.stop()
    prove(tmp_path, spool)
    pts = [pts for pts, _ in numbers(tmp_path, spool)]
    assert all(0 < b - a < 180_000 for a, b in itertools.pairwise(pts))


@pytest.mark.parametrize("trouble", ["away", "held"])
def test_a_dead_or_hanging_hub_costs_nothing_on_disk(
    tmp_path: Path, clips: dict[str, Path], hub: Hub, spool: Spool, trouble: str
) -> None:
    release = threading.Event()
    hub.away, hub.held = trouble == "away", release if trouble == "held" else None
    with FakeCamera({"a": clips["plain"]}) as camera:
        recorder = start(tmp_path, hub, spool, options(queue_bytes=20_000))
        recorder.reconcile([stream(camera.url("a"))])
        until(lambda: closed(spool) >= 2, "two chunks without a hub")
        assert hub.items == []
        hub.away = False
        release.set()
        until(lambda: len(hub.fragments) > 25, "live pictures once the hub is back")
        recorder.stop()
    prove(tmp_path, spool)
    shown = [number for _, number in numbers(tmp_path, spool)]
    assert all((b - a) % 50 == 1 for a, b in itertools.pairwise(shown))
    first = next(i for i, item in enumerate(hub.items) if isinstance(item, Fragment))
    assert hub.items[first].key
    assert any(isinstance(item, InitSegment) for item in hub.items[:first])
    assert any(isinstance(item, StreamState) for item in hub.items)


def test_rows_wait_while_the_spool_is_full(tmp_path: Path, clips: dict[str, Path], hub: Hub, spool: Spool) -> None:
    spool.full = True
    with FakeCamera({"a": clips["plain"]}) as camera:
        recorder = start(tmp_path, hub, spool)
        recorder.reconcile([stream(camera.url("a"))])
        until(lambda: sum(kind == "chunk:created" for kind, _ in hub.of(tuple)) >= 2, "two chunks without rows")
        assert spool.log == []
        spool.full = False
        recorder.stop()
    prove(tmp_path, spool)
    assert len(spool.chunks) >= 2


def test_reconcile_starts_stops_and_changes(tmp_path: Path, clips: dict[str, Path], hub: Hub, spool: Spool) -> None:
    with FakeCamera({"a": clips["plain"], "b": clips["small"]}) as camera:
        recorder = start(tmp_path, hub, spool)
        recorder.reconcile([stream(camera.url("a"), "one"), stream(camera.url("b"), "two")])
        until(lambda: {c.stream_id for c in spool.chunks} == {"one", "two"}, "two cameras")
        recorder.reconcile([stream(camera.url("b"), "one")])
        until(lambda: any(c.stream_id == "one" and c.width == 160 for c in spool.chunks), "the change")
        until(lambda: any(s.stream_id == "two" and s.cause is Cause.STOPPED for s in hub.of(StreamState)), "the stop")
        assert set(recorder.states()) == {"one"}
        recorder.stop()
    prove(tmp_path, spool)
    assert [(g["stream_id"], g["cause"]) for g in spool.gaps if g["end_us"] is None] == [("two", "stopped")]


def test_a_file_is_recorded_like_a_camera_and_its_end_is_told(
    tmp_path: Path, clips: dict[str, Path], hub: Hub, spool: Spool
) -> None:
    recorder = start(tmp_path, hub, spool)
    recorder.reconcile([stream(clips["plain"], loop=False)])
    until(lambda: "ended" in hub.causes, "the end")
    recorder.stop()
    prove(tmp_path, spool)
    assert sum(c.frames for c in spool.chunks) >= 50


KILLED = """
import json, sys, time
from pathlib import Path
from barnhand.core.time import SystemClock
from barnhand.recorder.recorder import Recorder
from tests.recorder.yard import QUICK, Hub, stream
class Spool:
    def append(self, kind, rows):
        for row in rows:
            print(json.dumps([kind, row]), flush=True)
recorder = Recorder(Path(sys.argv[1]), Hub(), Spool(), SystemClock(), QUICK)
recorder.reconcile([stream(sys.argv[2])])
time.sleep(60)
"""


def test_a_recorder_that_was_killed_loses_at_most_one_fragment(
    tmp_path: Path, clips: dict[str, Path], hub: Hub, spool: Spool
) -> None:
    import json
    import sys

    root = Path(__file__).parents[2]
    with FakeCamera({"a": clips["plain"]}) as camera:
        command = [sys.executable, "-c", KILLED, str(tmp_path), camera.url("a")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
            assert process.stdout is not None
            for line in process.stdout:
                kind, row = json.loads(line)
                spool.log.append((kind, row))
                if sum(not r["closed"] for k, r in spool.log if k == "chunk") >= 2:
                    break
            (open_file,) = [tmp_path / c.path for c in spool.chunks if not c.closed]
            until(lambda: open_file.stat().st_size > 4000, "some pictures")
            process.kill()
            process.wait()
        with open_file.open("ab") as file:
            file.write(b"\0\0\0\x20prft half a fragm")
        recorder = start(tmp_path, hub, spool)
        recorder.reconcile([stream(camera.url("a"))])
        done = closed(spool)
        until(lambda: closed(spool) >= done + 2, "recording to go on")
        recorder.stop()
    prove(tmp_path, spool)
    pictures = list(numbers(tmp_path, spool))
    assert all(a < b for (a, _), (b, _) in itertools.pairwise(pictures))
    (gap,) = spool.gaps
    assert gap["cause"] == "restarted"
    (hole,) = [(a, b) for a, b in itertools.pairwise(spool.chunks) if b.discontinuity]
    assert (gap["start_us"], gap["end_us"]) == (hole[0].end_us, hole[1].start_us)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_told_room_is_made_and_recording_resumes(
    tmp_path: Path, clips: dict[str, Path], hub: Hub, spool: Spool
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "none", str(disk)], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine does not let root mount a tmpfs")
    try:
        with FakeCamera({"a": clips["plain"]}) as camera:
            recorder = start(disk, hub, spool, options(retention_s=None))
            recorder.reconcile([stream(camera.url("a"))])
            until(lambda: closed(spool) >= 3, "some chunks")
            with pytest.raises(OSError, match="space"):
                (disk / "ballast").write_bytes(bytes(2_000_000))
            until(lambda: "disk_full" in hub.causes, "the full disk to be told")
            until(lambda: hub.causes[-1] == "none", "recording to resume in the room that was made")
            until(lambda: any(c.closed and c.start_us > spool.gaps[0]["end_us"] for c in spool.chunks), "a chunk after it")
            recorder.stop()
        prove(disk, spool)
        assert {g["cause"] for g in spool.gaps} == {"disk_full"}
        live = [f for f in hub.fragments if f.video]
        assert all(0 < b.dts - a.dts < 9000 for a, b in itertools.pairwise(live))  # live view never noticed
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def test_the_journal_survives(tmp_path: Path, clips: dict[str, Path], hub: Hub, spool: Spool) -> None:
    with FakeCamera({"a": clips["plain"]}) as camera:
        recorder = start(tmp_path, hub, spool)
        recorder.reconcile([stream(camera.url("a"))])
        until(lambda: closed(spool) >= 1, "a chunk")
        recorder.stop()
    journal = load_journal(tmp_path / "cam")
    last = spool.chunks[-1]
    assert (journal.end_us, journal.end_pts, journal.run, journal.open) == (last.end_us, last.end_pts, last.run, None)
