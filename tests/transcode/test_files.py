"""Files made of recordings: chunks in H.264, clips; and the folder that holds them."""

import itertools
import os
import threading
import time
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import uuid4

import av
import pytest
from tests.api.media import film
from tests.sources.clips import read
from tests.transcode.bench import Bench, numbers

from barnhand.core.conversion import MediaAnswer, MediaJob
from barnhand.core.errors import DamagedMediaError, MediaError, NotFoundError, SpaceError
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.time import FakeClock, SystemClock
from barnhand.fragments.naming import chunk_path
from barnhand.fragments.reader import init_length, measure, read_chunk
from barnhand.transcode.cache import Cache
from barnhand.transcode.files import convert_chunk, cut_clip
from barnhand.transcode.options import TranscodeOptions

START_US = 1_800_000_000_000_000
SECOND = 1_000_000
CAMERA = "6f1ddf0e-3c1c-4d8e-9f0a-2f1b2c3d4e5f"


def record(folder: Path, films: Path, start_us: int = START_US, *, kind: str = "hevc", run: int = 7, **changes: Any) -> str:
    """A chunk file of two seconds; its path relative to ``folder``."""
    init, fragments = film(films, CAMERA, start_us, run, kind=kind, **changes)
    path = chunk_path(CAMERA, start_us)
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(init.data + b"".join(fragment.data for fragment in fragments))
    return path


@pytest.mark.parametrize("kind", ["hevc", "hevc_b"])
def test_a_converted_chunk_says_the_same_of_itself(tmp_path: Path, films: Path, kind: str) -> None:
    source, target = tmp_path / record(tmp_path, films, kind=kind, audio="aac"), tmp_path / "made.mp4"
    convert_chunk(source, target, CAMERA, TranscodeOptions())
    before, after = measure(source, CAMERA), measure(target, CAMERA)
    assert before is not None
    assert after is not None
    same = ("frames", "start_pts", "end_pts", "start_us", "end_us")
    assert {name: getattr(after, name) for name in same} == {name: getattr(before, name) for name in same}
    assert (after.init.run, after.init.audio, after.bytes) == (before.init.run, before.init.audio, after.size)
    assert after.init.mime.startswith('video/mp4; codecs="avc1.')
    assert init_length(target.read_bytes()) == after.init_bytes
    items = list(read_chunk(target, CAMERA))
    assert isinstance(items[0], InitSegment)
    made = [item for item in items if isinstance(item, Fragment)]
    assert [number for _, number in numbers(items[0], made)] == list(range(50))


def test_a_chunk_that_was_cut_gives_what_it_has(tmp_path: Path, films: Path) -> None:
    source, target = tmp_path / record(tmp_path, films), tmp_path / "made.mp4"
    os.truncate(source, source.stat().st_size * 3 // 5)
    convert_chunk(source, target, CAMERA, TranscodeOptions())
    whole, made = measure(source, CAMERA), measure(target, CAMERA)
    assert whole is not None
    assert made is not None
    assert 0 < made.frames == whole.frames < 50


def test_chunks_that_cannot_be_converted_say_why(tmp_path: Path, films: Path) -> None:
    target = tmp_path / "made.mp4"
    with pytest.raises(NotFoundError, match="gone"):
        convert_chunk(tmp_path / "none.mp4", target, CAMERA, TranscodeOptions())
    init, fragments = film(films, CAMERA, START_US, kind="hevc")
    blank = tmp_path / "blank.mp4"
    blank.write_bytes(init.data + b"".join(f.data[:150] + bytes(len(f.data) - 150) for f in fragments))
    with pytest.raises(DamagedMediaError, match="decoded"):
        convert_chunk(blank, target, CAMERA, TranscodeOptions())
    words = tmp_path / "words.mp4"
    words.write_text("no video at all")
    with pytest.raises(DamagedMediaError):
        convert_chunk(words, target, CAMERA, TranscodeOptions())


def pictures(path: Path) -> list[tuple[Fraction, int]]:
    """``(seconds, number)`` of each picture, as a player would show it."""
    with av.open(str(path)) as file:
        return [(frame.pts * frame.time_base, read(frame.to_ndarray(format="rgb24"))) for frame in file.decode(video=0)]


@pytest.mark.parametrize("kind", ["plain", "b_frames", "hevc", "hevc_b"])
def test_a_clip_goes_over_chunks_and_closes_gaps(tmp_path: Path, films: Path, kind: str) -> None:
    starts = (START_US, START_US + 2 * SECOND, START_US + 60 * SECOND)
    paths = [tmp_path / record(tmp_path, films, start, kind=kind) for start in starts]
    target = tmp_path / "clip.mp4"
    cut_clip(paths, target, START_US + 1_500_000, START_US + 61 * SECOND)
    seen = pictures(target)
    # From the key frame a second in, through the second chunk, over the gap to a second of the third.
    expected = [*range(25, 50), *range(50), *range(25)]
    if "b" in kind:  # the last pictures build on one beyond the end
        assert [number for _, number in seen][: len(expected) - 3] == expected[:-3]
    else:
        assert [number for _, number in seen] == expected
    assert seen[0][0] == 0 if kind in {"plain", "hevc"} else seen[0][0] < Fraction(1, 10)
    steps = {round((after - before) * 25, 3) for (before, _), (after, _) in itertools.pairwise(seen)}
    assert steps == {1}


def test_a_clip_has_its_sound_and_the_names_that_players_know(tmp_path: Path, films: Path) -> None:
    target = tmp_path / "clip.mp4"
    cut_clip([tmp_path / record(tmp_path, films, audio="aac")], target, START_US, START_US + 2 * SECOND)
    with av.open(str(target)) as file:
        heard = sum(frame.samples for frame in file.decode(audio=0))
    assert 1.8 * 48_000 < heard < 2.2 * 48_000
    head = target.read_bytes()[:8192]
    assert b"hvc1" in head
    assert head.index(b"moov") < 64, "a page has to read the whole file before it can play it"


def test_a_clip_over_another_size_is_refused_in_words(tmp_path: Path, films: Path) -> None:
    paths = [
        tmp_path / record(tmp_path, films, kind="plain"),
        tmp_path / record(tmp_path, films, START_US + 2 * SECOND, kind="small"),
    ]
    with pytest.raises(MediaError, match="changed its picture at 2027-01-15 08:00:02 UTC"):
        cut_clip(paths, tmp_path / "clip.mp4", START_US, START_US + 4 * SECOND)


def job(*paths: str, convert: bool = False, span: tuple[int, int] | None = None) -> MediaJob:
    start_us, end_us = span or (None, None)
    return MediaJob(uuid4().hex, CAMERA, paths, paths if convert else (), 30, start_us, end_us)


def test_files_are_made_once_and_found_again(bench: Bench, films: Path) -> None:
    path = record(bench.recordings, films)
    bench.start()
    answer = bench.make(job(path))
    assert answer is not None
    assert answer.result() == path
    made = bench.converted / path
    first = made.stat()
    os.utime(made, (1, 1))
    again = bench.make(job(path))
    assert again == answer
    assert made.stat().st_ino == first.st_ino
    assert made.stat().st_mtime > 1, "what is used again is not the longest unused"
    assert list(bench.converted.rglob("*.new")) == []


def test_a_clip_in_h264_is_made_of_converted_chunks(bench: Bench, films: Path) -> None:
    paths = [record(bench.recordings, films, START_US + n * 2 * SECOND) for n in range(2)]
    bench.start()
    answer = bench.make(job(*paths, convert=True, span=(START_US, START_US + 3 * SECOND)))
    assert answer is not None
    clip = bench.converted / answer.result()
    with av.open(str(clip)) as file:
        assert file.streams.video[0].codec_context.name == "h264"
    assert [number for _, number in pictures(clip)] == [*range(50), *range(25)]
    assert all((bench.converted / path).exists() for path in paths)


def test_what_stops_a_file_is_told_to_who_waits(bench: Bench, films: Path) -> None:
    bench.start()
    answer = bench.make(job(chunk_path(CAMERA, 7)))
    assert answer is not None
    with pytest.raises(NotFoundError, match="run barnhand check"):
        answer.result()
    after = bench.make(job(record(bench.recordings, films)))
    assert after is not None, "one bad recording must not stop the others"
    assert after.result()


def test_without_a_transcoder_nobody_waits_for_ever(bench: Bench) -> None:
    impatient = MediaJob(uuid4().hex, CAMERA, ("x",), (), 1)
    assert bench.make(impatient) is None


def cache(tmp_path: Path, clock: FakeClock, **changes: Any) -> Cache:
    (tmp_path / "converted" / "clips").mkdir(parents=True, exist_ok=True)
    options = TranscodeOptions(**{"free_bytes": 0, **changes})
    return Cache(tmp_path / "converted", tmp_path / "recordings", clock, options)


def put(cache: Cache, recordings: Path, start_us: int, used_s: float, size: int = 65_536) -> Path:
    path = chunk_path(CAMERA, start_us)
    (recordings / path).parent.mkdir(parents=True, exist_ok=True)
    (recordings / path).touch()
    cache.put(cache.chunk(path), lambda new: new.write_bytes(bytes(size)) and None)
    os.utime(cache.chunk(path), (used_s, used_s))
    return cache.chunk(path)


def test_the_longest_unused_make_room(tmp_path: Path) -> None:
    kept = cache(tmp_path, FakeClock(START_US), cache_bytes=3 * 65_536)
    files = [put(kept, tmp_path / "recordings", START_US + n, used) for n, used in enumerate((30.0, 10.0, 20.0))]
    assert all(file.exists() for file in files)
    fourth = put(kept, tmp_path / "recordings", START_US + 3, 40.0)
    assert [file.exists() for file in [*files, fourth]] == [True, False, True, True]


def test_copies_of_removed_recordings_go(tmp_path: Path) -> None:
    kept = cache(tmp_path, FakeClock(START_US))
    stays, goes = (put(kept, tmp_path / "recordings", START_US + n * 86_400 * SECOND, 1.0) for n in range(2))
    (tmp_path / "recordings" / goes.relative_to(kept.folder)).unlink()
    kept.sweep()
    assert stays.exists()
    assert not goes.parent.exists()


def test_a_clip_nobody_fetched_goes_after_an_hour(tmp_path: Path) -> None:
    clock = FakeClock(SystemClock().wall_us())  # a file's age is told by the machine's own clock
    kept = cache(tmp_path, clock)
    kept.put(kept.clip("a"), lambda new: new.write_bytes(b"clip") and None)
    clock.advance(3500)
    kept.sweep()
    assert kept.clip("a").exists()
    clock.advance(200)
    kept.sweep()
    assert not kept.clip("a").exists()


def test_a_kill_leaves_nothing_half_written(tmp_path: Path) -> None:
    kept = cache(tmp_path, FakeClock(START_US))
    left = kept.folder / "clips" / ".a.mp4.7.new"
    left.write_bytes(b"half")
    kept.start_over()
    assert not left.exists()


def test_a_write_that_fails_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    kept = cache(tmp_path, FakeClock(START_US))

    def full(new: Path) -> None:
        new.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(SpaceError, match="free some space"):
        kept.put(kept.clip("a"), full)
    assert list(kept.folder.rglob("*a*")) == []


def test_an_answer_that_takes_long_is_waited_for(bench: Bench) -> None:
    slow = MediaJob(uuid4().hex, CAMERA, ("x",), (), 30)

    def answer() -> None:
        time.sleep(7)  # longer than the hub's client lets a connection be silent
        desk = bench.hub.conversions()
        while desk.next_job(slow.kind, 1) != slow:  # before it lie jobs of tests that stopped waiting
            pass
        desk.finish(slow, MediaAnswer("made.mp4"))

    worker = threading.Thread(target=answer, daemon=True)
    worker.start()
    told = bench.make(slow)
    worker.join()
    assert told == MediaAnswer("made.mp4")
