"""Pictures change their codec and nothing else."""

from pathlib import Path

import pytest
from tests.api.media import film
from tests.transcode.bench import numbers

from barnhand.core.media import Codec, Fragment
from barnhand.fragments.mime import video_codec
from barnhand.fragments.reader import parse_fragment
from barnhand.transcode.converter import Converter, Untouched, needs_conversion
from barnhand.transcode.encoder import scaled
from barnhand.transcode.options import TranscodeOptions

START_US = 1_800_000_000_000_000


@pytest.mark.parametrize("kind", ["hevc", "hevc_b"])
@pytest.mark.parametrize("threads", [1, 2])
def test_every_picture_keeps_its_times(films: Path, kind: str, threads: int) -> None:
    init, fragments = film(films, "cam", START_US, kind=kind)
    converter = Converter(init, "cam:h264", 9, TranscodeOptions(threads=threads))
    made = [out for fragment in fragments for out in converter.convert(fragment)] + list(converter.finish())
    assert video_codec(init.video).startswith("hvc1.")
    assert (converter.init.video.codec, converter.init.stream_id, converter.init.run) == (Codec.H264, "cam:h264", 9)
    assert video_codec(converter.init.video).startswith("avc1.")
    shown = sorted(fragments, key=lambda fragment: fragment.pts)
    assert [(f.pts, f.wall_us, f.duration) for f in made] == [(f.pts, f.wall_us, f.duration) for f in shown]
    assert all(f.dts == f.pts for f in made)
    assert [number for _, number in numbers(converter.init, made)] == list(range(50))
    # What is written says what the record says: a reader of the bytes sees the same times.
    for fragment in made:
        again = parse_fragment(fragment.data, converter.init)
        assert again is not None
        assert (again.pts, again.dts, again.wall_us, again.key) == (
            fragment.pts,
            fragment.dts,
            fragment.wall_us,
            fragment.key,
        )


def test_a_picture_is_ready_with_its_own_fragment(films: Path) -> None:
    init, fragments = film(films, "cam", START_US, kind="hevc")
    converter = Converter(init, "cam:h264", 9, TranscodeOptions(threads=1))
    assert all([out.pts for out in converter.convert(fragment)] == [fragment.pts] for fragment in fragments[:10])


def test_sound_passes_untouched(films: Path) -> None:
    init, fragments = film(films, "cam", START_US, kind="hevc", audio="aac")
    converter = Converter(init, "cam:h264", 9, TranscodeOptions())
    heard = [f for f in fragments if not f.video]
    passed = [out for f in heard for out in converter.convert(f)]
    assert converter.init.audio == init.audio
    assert len(heard) > 40
    assert [(f.pts, f.data) for f in passed] == [(f.pts, f.data) for f in heard]
    assert {(f.stream_id, f.run) for f in passed} == {("cam:h264", 9)}


def test_what_is_not_shown_still_carries_what_builds_on_it(films: Path) -> None:
    init, fragments = film(films, "cam", START_US, kind="hevc")
    converter = Converter(init, "cam:h264", 9, TranscodeOptions(threads=1))
    made = [out for index, f in enumerate(fragments[:25]) for out in converter.convert(f, show=index >= 20)]
    assert made[0].key
    assert numbers(converter.init, made) == [(fragments[n].pts, n) for n in range(20, 25)]


def test_after_a_skip_it_goes_on_at_the_next_key_frame(films: Path) -> None:
    init, fragments = film(films, "cam", START_US, kind="hevc")
    converter = Converter(init, "cam:h264", 9, TranscodeOptions(threads=1))
    made = [out for f in fragments[:5] for out in converter.convert(f)]
    converter.skip()
    made += [out for f in fragments[15:30] for out in converter.convert(f)]
    assert [number for _, number in numbers(converter.init, made)] == [*range(5), *range(25, 30)]


@pytest.mark.parametrize(
    ("size", "most", "expected"),
    [
        ((1920, 1080), 1280, (1280, 720)),
        ((2560, 1920), 1280, (1280, 960)),
        ((2304, 1296), 1280, (1280, 720)),
        ((640, 360), 1280, (640, 360)),
        ((705, 577), 1280, (704, 576)),
        ((3840, 1601), 1280, (1280, 534)),
        ((16, 16), 1280, (32, 32)),
    ],
)
def test_sizes(size: tuple[int, int], most: int, expected: tuple[int, int]) -> None:
    assert scaled(*size, most) == expected


def test_large_pictures_become_smaller(films: Path) -> None:
    init, fragments = film(films, "cam", START_US, kind="hevc", width=1600, height=904, frames=5)
    converter = Converter(init, "cam:h264", 9, TranscodeOptions())
    made = [out for f in fragments for out in converter.convert(f)] + list(converter.finish())
    assert (converter.init.video.width, converter.init.video.height) == (1280, 722)
    assert [number for _, number in numbers(converter.init, made)] == list(range(5))


def test_h264_is_left_as_it_is(films: Path) -> None:
    init, fragments = film(films, "cam", START_US, kind="sound")
    assert not needs_conversion(init)
    untouched = Untouched(init, "cam:h264", 9)
    made: list[Fragment] = [out for f in fragments for out in untouched.convert(f)]
    assert [f.data for f in made] == [f.data for f in fragments]
    assert untouched.init.mime == init.mime
    untouched.skip()
    assert list(untouched.convert(next(f for f in fragments if f.video and not f.key))) == []
    assert list(untouched.convert(next(f for f in fragments if f.key and f.video)))
