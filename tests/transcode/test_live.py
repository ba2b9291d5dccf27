"""A camera converted live: on demand, once for all viewers, never behind, and gone when nobody looks."""

from pathlib import Path
from uuid import uuid4

import pytest
from tests.api.media import film
from tests.transcode.bench import QUICK, Bench, numbers, watching

from barnhand.core.conversion import ConversionStatus
from barnhand.core.media import Codec, Fragment, InitSegment
from barnhand.hub.keys import converted
from barnhand.transcode.live import catch_up

START_US = 1_800_000_000_000_000


async def test_a_wish_begins_a_conversion_and_its_end_ends_it(bench: Bench, films: Path) -> None:
    camera = uuid4().hex
    init, fragments = film(films, camera, START_US, kind="hevc")
    bench.publish(init, fragments[:40])
    transcoder = bench.start()
    async with watching(bench.url, camera) as viewer, watching(bench.url, camera) as second:
        await viewer.until(lambda: len(viewer.fragments) >= 13, "the group so far")
        bench.hub.publish_fragments(fragments[40:])
        await viewer.until(lambda: len(viewer.fragments) >= 23, "what came later")
        await second.until(lambda: len(second.fragments) >= 23, "the same for the second viewer")
        await viewer.until(lambda: bool(viewer.states), "an answer")
        assert transcoder.converting == [camera]
    both = min(len(viewer.items), len(second.items))
    assert all(mine == theirs for mine, theirs in zip(viewer.items[:both], second.items[:both], strict=True))
    seen = numbers(viewer.inits[0], viewer.fragments)
    # A second thread in the decoder means that one picture is still on its way.
    assert seen == [(fragments[n].pts, n) for n in range(25, 25 + len(seen))]
    assert viewer.states[-1].status is ConversionStatus.CONVERTING
    assert viewer.states[-1].source_mime == init.mime
    bench.forget_wish(camera)
    held = (f"live:{converted(camera)}", f"init:{converted(camera)}")
    async with watching(bench.url, uuid4().hex) as other:
        await other.until(lambda: camera not in transcoder.converting, "the end of the conversion")
        await other.until(lambda: bench.hub._client.exists(*held) == 0, "the end of what the hub held of it")


async def test_it_survives_another_size_another_codec_and_a_camera_that_was_away(bench: Bench, films: Path) -> None:
    camera = uuid4().hex
    runs = [
        film(films, camera, START_US, run=1, kind="hevc"),
        film(films, camera, START_US + 60_000_000, run=2, kind="hevc", width=160, height=128),
        film(films, camera, START_US + 120_000_000, run=3, kind="plain"),
        film(films, camera, START_US + 180_000_000, run=4, kind="hevc_b"),
    ]
    bench.start()
    async with watching(bench.url, camera) as viewer:
        for index, (init, fragments) in enumerate(runs):
            bench.publish(init, fragments[:20])
            await viewer.until(lambda: len(viewer.inits) > index, f"run {index + 1}")  # noqa: B023
            before = len(viewer.fragments)
            bench.hub.publish_fragments(fragments[20:])
            await viewer.until(lambda: len(viewer.fragments) >= before + 20, f"pictures of run {index + 1}")  # noqa: B023
    assert [(i.video.codec, i.video.width) for i in viewer.inits] == [
        (Codec.H264, 320),
        (Codec.H264, 160),
        (Codec.H264, 320),
        (Codec.H264, 320),
    ]
    statuses = [state.status for state in viewer.states]
    assert ConversionStatus.UNTOUCHED in statuses
    for (_, source), made in zip(runs, viewer.inits, strict=True):
        of_run = [f for f in viewer.fragments if f.run == made.run]
        by_pts = {f.pts: n for n, f in enumerate(sorted(source, key=lambda f: f.pts))}
        for pts, number in numbers(made, of_run):
            assert by_pts[pts] == number


async def test_beyond_the_limit_one_waits_and_is_told_why(bench: Bench, films: Path) -> None:
    first, second, plain = (uuid4().hex for _ in range(3))
    for camera in (first, second):
        bench.publish(*film(films, camera, START_US, kind="hevc"))
    bench.publish(*film(films, plain, START_US))
    bench.start(QUICK)
    async with watching(bench.url, second) as waiting:
        async with watching(bench.url, first) as viewer:
            # Both wish at once: one of them has the place.
            await viewer.until(lambda: bool(viewer.states and waiting.states), "two answers")
            await viewer.until(lambda: bool(viewer.fragments or waiting.fragments), "a picture")
            late, early = (waiting, viewer) if viewer.fragments else (viewer, waiting)
            await late.until(lambda: late.states[-1].status is ConversionStatus.WAITING, "the refusal")
            assert late.states[-1].message.startswith("This camera cannot be converted now: another camera is being converted")
            assert late.fragments == []
            await early.until(lambda: early.states[-1].status is ConversionStatus.CONVERTING, "the consent")
            async with watching(bench.url, plain) as free:
                await free.until(lambda: len(free.fragments) > 10, "H.264, which needs no place")
        if late is waiting:
            bench.forget_wish(first)
            await waiting.until(lambda: bool(waiting.fragments), "the place that became free")
            await waiting.until(lambda: waiting.states[-1].status is ConversionStatus.CONVERTING, "the consent that followed")


async def test_switched_off_it_says_so(bench: Bench, films: Path) -> None:
    camera = uuid4().hex
    bench.publish(*film(films, camera, START_US, kind="hevc"))
    bench.start(type(QUICK)(live=0))
    async with watching(bench.url, camera) as viewer:
        await viewer.until(lambda: bool(viewer.states), "an answer")
        await viewer.until(lambda: viewer.states[-1].status is ConversionStatus.WAITING, "the refusal")
    assert "BARNHAND_CONVERSIONS" in viewer.states[-1].message


async def test_damaged_pictures_cost_themselves_only(bench: Bench, films: Path) -> None:
    camera = uuid4().hex
    init, fragments = film(films, camera, START_US, kind="hevc")
    from dataclasses import replace

    broken = [replace(f, data=f.data[:150] + bytes(len(f.data) - 150)) for f in fragments[:25]]
    bench.publish(init, broken)
    bench.start()
    async with watching(bench.url, camera) as viewer:
        await viewer.until(lambda: bool(viewer.inits), "the beginning")
        bench.hub.publish_fragments(fragments[25:])
        await viewer.until(lambda: bool(viewer.fragments) and viewer.fragments[-1].pts >= fragments[45].pts, "whole pictures")
    seen = dict(numbers(viewer.inits[0], viewer.fragments))
    assert seen[fragments[45].pts] == 45


def group(first: int, count: int, every: int = 25) -> list[InitSegment | Fragment]:
    """Pictures a 25th of a second apart, with a key frame every so many."""
    return [
        Fragment("cam", 1, True, number % every == 0, number * 3600, number * 3600, 3600, 0, b"")
        for number in range(first, first + count)
    ]


@pytest.mark.parametrize(
    ("items", "kept", "shown"),
    [
        (group(0, 10), range(10), range(10)),
        (group(3, 25), range(3, 28), range(3, 28)),
        (group(0, 60), range(50, 60), range(50, 60)),  # too much: from the newest key frame on
        (group(1, 40, 100), range(1, 41), range(15, 41)),  # no key frame in it: decoded, the old ones not shown
        (group(0, 100, 100), range(100), range(74, 100)),  # the first read of a long group
        ([], [], []),
    ],
)
def test_what_is_late_is_not_shown(items: list[InitSegment | Fragment], kept: range, shown: range) -> None:
    worth, show_from = catch_up(items, 90_000)
    pts = [item.pts for item in worth if isinstance(item, Fragment)]
    assert pts == [number * 3600 for number in kept]
    assert [tick for tick in pts if tick >= show_from] == [number * 3600 for number in shown]


def test_the_run_of_the_newest_key_frame_comes_with_it(films: Path) -> None:
    one, _ = film(films, "cam", START_US, run=1)
    two, _ = film(films, "cam", START_US, run=2)
    worth, _ = catch_up([one, *group(0, 30), two, *group(50, 30)], 90_000)
    assert worth[0] is two
    assert len(worth) == 6
