"""Packets to fragments and back: the same pictures, the same times, whatever the camera sends."""

import contextlib
import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.clips import read

from barnhand.core.errors import DamagedMediaError, SourceError, UnsupportedCodecError
from barnhand.core.media import AudioFormat, Codec, Fragment, InitSegment, Packet, VideoFormat
from barnhand.core.stream import SourceType, Stream
from barnhand.core.time import SystemClock, pts_of_wall, wall_of_pts
from barnhand.fragments.boxes import find, walk
from barnhand.fragments.decoder import FragmentDecoder
from barnhand.fragments.init import read_formats, read_run
from barnhand.fragments.mime import mime
from barnhand.fragments.reader import measure, read_chunk
from barnhand.fragments.writer import FragmentWriter, ntp_of_wall, wall_of_ntp
from barnhand.sources.open import open_source
from barnhand.sources.options import SourceOptions

START_US = 1_800_000_000_123_456
BASE = pts_of_wall(START_US)


def fragments(clip: Path, stream_id: str = "cam") -> Iterator[InitSegment | Fragment]:
    """A clip as the recorder would cut it."""
    stream = Stream(stream_id, "Box 1", SourceType.FILE, str(clip), {"loop": False, "pace": False})
    with open_source(stream, SourceOptions(), SystemClock()) as source:
        writer = FragmentWriter(stream_id, 7, source.video, source.audio)
        yield writer.init(START_US)
        packets: list[Packet] = []
        with contextlib.suppress(SourceError):  # the end of the file
            packets.extend(source.packets())
        for packet in packets:
            pts = packet.pts + BASE
            yield writer.fragment(packet, pts=pts, dts=packet.dts + BASE, wall_us=wall_of_pts(pts))


def collect(clip: Path) -> tuple[InitSegment, list[Fragment]]:
    init, *rest = fragments(clip)
    assert isinstance(init, InitSegment)
    return init, [item for item in rest if isinstance(item, Fragment)]


def write(path: Path, segments: "list[InitSegment | Fragment]") -> Path:
    path.write_bytes(b"".join(segment.data for segment in segments))
    return path


KINDS = ["plain", "b_frames", "hevc", "hevc_b", "sound"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_chunk_file_reads_back_exactly(tmp_path: Path, clips: dict[str, Path], kind: str) -> None:
    init, made = collect(clips[kind])
    path = write(tmp_path / "c.mp4", [init, *made])
    read_init, *read_back = read_chunk(path, "cam")
    assert read_init == init
    assert read_back == made
    extent = measure(path, "cam")
    assert extent is not None
    assert (extent.bytes, extent.size, extent.frames, extent.init_bytes) == (path.stat().st_size,) * 2 + (50, len(init.data))
    video = [f for f in made if f.video]
    assert (extent.start_pts, extent.start_us) == (video[0].pts, video[0].wall_us)
    assert extent.end_pts == max(f.pts + f.duration for f in video)


@pytest.mark.parametrize("kind", KINDS)
def test_ffmpeg_plays_a_chunk_file_at_its_true_time(tmp_path: Path, clips: dict[str, Path], kind: str) -> None:
    init, made = collect(clips[kind])
    path = write(tmp_path / "c.mp4", [init, *made])
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base.denominator == 90_000
        pictures = [(f.pts, read(f.to_ndarray(format="rgb24"))) for f in container.decode(video=0)]
    assert [n for _, n in pictures] == list(range(50))
    assert [p for p, _ in pictures] == sorted(f.pts for f in made if f.video)
    if kind == "sound":
        with av.open(str(path)) as container:
            assert sum(f.samples for f in container.decode(audio=0)) > 90_000


@pytest.mark.parametrize("kind", KINDS)
def test_the_decoder_gives_each_picture_its_own_time(clips: dict[str, Path], kind: str) -> None:
    init, made = collect(clips[kind])
    decoder = FragmentDecoder(init, exact=True)
    frames = [frame for fragment in made for frame in decoder.decode(fragment)] + decoder.flush()
    assert [read(np.asarray(f.image)) for f in frames] == list(range(50))
    assert [f.wall_us for f in frames] == [wall_of_pts(f.pts) for f in frames]
    assert [f.pts for f in frames] == sorted(f.pts for f in made if f.video)


def test_only_wanted_pictures_are_converted_but_all_are_decoded(clips: dict[str, Path]) -> None:
    init, made = collect(clips["b_frames"])
    decoder = FragmentDecoder(init)
    wanted = {f.pts for i, f in enumerate(made) if i % 5 == 0}
    frames = [frame for f in made for frame in decoder.decode(f, want=f.pts in wanted)] + decoder.flush()
    assert {f.pts for f in frames} <= wanted
    assert len(frames) >= len(wanted) - 1
    assert all(read(np.asarray(f.image)) == (f.pts - min(wanted)) // 3600 for f in frames)


def test_the_decoder_waits_for_a_key_frame(clips: dict[str, Path]) -> None:
    init, made = collect(clips["plain"])
    decoder = FragmentDecoder(init)
    frames = [frame for f in made[10:] for frame in decoder.decode(f)]
    assert [read(np.asarray(f.image)) for f in frames] == list(range(25, 50))


def test_damage_costs_one_group_of_pictures(clips: dict[str, Path]) -> None:
    init, made = collect(clips["plain"])
    bad = dataclasses.replace(made[5], data=made[5].data[:-40] + b"\xff" * 40)
    cut = dataclasses.replace(made[6], data=made[6].data[:200] + b"\0" * (len(made[6].data) - 200))
    decoder = FragmentDecoder(init)
    frames = [frame for f in [*made[:5], bad, cut, *made[7:]] for frame in decoder.decode(f)]
    numbers = [read(np.asarray(f.image)) for f in frames]
    assert numbers[:5] == [0, 1, 2, 3, 4]
    assert numbers[-25:] == list(range(25, 50))


def test_fragments_of_another_run_are_not_taken(clips: dict[str, Path]) -> None:
    init, made = collect(clips["plain"])
    decoder = FragmentDecoder(init)
    assert decoder.wants(made[0])
    assert not decoder.wants(dataclasses.replace(made[0], run=8))
    assert decoder.decode(dataclasses.replace(made[0], run=8)) == []


@pytest.mark.parametrize("lost", [1, 7, 100, 1000])
def test_a_cut_tail_ends_quietly(tmp_path: Path, clips: dict[str, Path], lost: int) -> None:
    init, made = collect(clips["plain"])
    path = write(tmp_path / "c.mp4", [init, *made])
    whole = path.read_bytes()
    path.write_bytes(whole[:-lost])
    _, *rest = read_chunk(path, "cam")
    assert rest == made[: len(rest)]
    assert len(rest) < 50
    extent = measure(path, "cam")
    assert extent is not None
    assert extent.bytes == len(init.data) + sum(len(f.data) for f in made[: len(rest)])


def test_a_tail_of_zeros_is_not_counted(tmp_path: Path, clips: dict[str, Path]) -> None:
    init, made = collect(clips["plain"])
    path = write(tmp_path / "c.mp4", [init, *made])
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + bytes(4096))  # what a power cut leaves on some file systems
    extent = measure(path, "cam")
    assert extent is not None
    assert (extent.bytes, extent.size) == (size, size + 4096)


@pytest.mark.parametrize("content", [b"", b"hello, this is no chunk at all", bytes(100)], ids=["empty", "text", "zeros"])
def test_what_is_no_chunk(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.mp4"
    path.write_bytes(content)
    assert measure(path, "cam") is None
    with pytest.raises(DamagedMediaError):
        list(read_chunk(path, "cam"))


def test_every_cut_of_a_chunk_is_measured_to_a_whole_fragment(tmp_path: Path, clips: dict[str, Path]) -> None:
    init, made = collect(clips["small"])
    path = write(tmp_path / "c.mp4", [init, *made[:4]])
    whole = path.read_bytes()
    ends = [len(init.data) + sum(len(f.data) for f in made[:n]) for n in range(5)]
    for size in range(0, len(whole) + 1, 13):
        path.write_bytes(whole[:size])
        extent = measure(path, "cam")
        expected = max((end for end in ends if end <= size), default=0)
        assert (extent.bytes if extent else 0) == (expected if expected > ends[0] else 0)


def test_the_init_segment_says_what_it_was_made_of(clips: dict[str, Path]) -> None:
    init, _ = collect(clips["sound"])
    assert read_run(init.data) == (7, START_US)
    assert read_formats(init.data) == (init.video, init.audio)
    assert [b.kind for b in walk(init.data)] == [b"ftyp", b"uuid", b"moov"]


def test_fragments_are_three_boxes(clips: dict[str, Path]) -> None:
    _, made = collect(clips["b_frames"])
    for fragment in made:
        assert [b.kind for b in walk(fragment.data)] == [b"prft", b"moof", b"mdat"]
        assert find(fragment.data, "moof/traf/tfdt") is not None
    assert all(a.dts < b.dts for a, b in itertools.pairwise(made))


@pytest.mark.parametrize(
    ("kind", "start"), [("plain", "avc1.42c0"), ("b_frames", "avc1."), ("hevc", "hvc1.1.6.L"), ("sound", "avc1.42c0")]
)
def test_mime(clips: dict[str, Path], kind: str, start: str) -> None:
    init, _ = collect(clips[kind])
    assert init.mime.startswith(f'video/mp4; codecs="{start}')
    assert init.mime.endswith(',mp4a.40.2"' if kind == "sound" else '"')


def test_mime_of_records() -> None:
    avcc = bytes.fromhex("0164001fffe1")
    assert mime(VideoFormat(Codec.H264, 2, 2, avcc + b"\0"), None) == 'video/mp4; codecs="avc1.64001f"'
    hvcc = bytes.fromhex("0101600000009000000000005d") + bytes(10)
    assert mime(VideoFormat(Codec.HEVC, 2, 2, hvcc), None) == 'video/mp4; codecs="hvc1.1.6.L93.90"'
    with pytest.raises(UnsupportedCodecError):
        mime(VideoFormat(Codec.H264, 2, 2, b"\x01"), None)
    with pytest.raises(UnsupportedCodecError):
        mime(VideoFormat(Codec.H264, 2, 2, avcc + b"\0"), AudioFormat(Codec.AAC, 8000, 1, b""))


@given(st.integers(0, 20_000_000_000_000_000))
def test_ntp_keeps_every_microsecond_of_six_centuries(wall_us: int) -> None:
    assert wall_of_ntp(ntp_of_wall(wall_us), wall_us + 3_600_000_000) == wall_us
