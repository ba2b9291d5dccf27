"""What every kind of source gives, and the cause each failure is told with."""

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import pytest
from benchmarks.yard import until
from tests.sources.clips import read
from tests.sources.web import web

from barnhand.core.errors import SourceError
from barnhand.core.media import Codec, Packet
from barnhand.core.stream import Cause, SourceType, Stream
from barnhand.core.time import SystemClock
from barnhand.sources.fake_camera import FakeCamera
from barnhand.sources.open import open_source
from barnhand.sources.options import SourceOptions

CLOCK = SystemClock()
QUICK = SourceOptions(open_s=1.0, stall_s=0.6)


def stream(url: str | Path, kind: SourceType = SourceType.RTSP, secret: str | None = None, **config: Any) -> Stream:
    return Stream("cam", "Box 1", kind, str(url), config, secret)


def take(cam: Stream, count: int, options: SourceOptions = QUICK) -> tuple[list[Packet], Any, Any]:
    packets: list[Packet] = []
    with open_source(cam, options, CLOCK) as source:
        with contextlib.suppress(SourceError):  # the end of a file that is shorter
            packets.extend(itertools.islice(source.packets(), count))
        return packets, source.video, source.audio


def failure(cam: Stream, options: SourceOptions = QUICK) -> SourceError:
    with pytest.raises(SourceError) as caught, open_source(cam, options, CLOCK) as source:
        for _ in source.packets():
            pass
    return caught.value


def numbers(packets: list[Packet], video: Any) -> list[int]:
    """The frame numbers in the pixels, in order of display, from the first key frame."""
    context = av.CodecContext.create("h264" if video.codec is Codec.H264 else "hevc", "r")
    context.extradata = video.extradata
    context.thread_count = 1
    seen = []
    started = False
    for packet in packets:
        started = started or packet.key
        if packet.video and started:
            coded = av.Packet(packet.data)
            coded.pts, coded.dts = packet.pts, packet.dts
            seen += [read(f.to_ndarray(format="rgb24")) for f in context.decode(coded)]
    seen += [read(f.to_ndarray(format="rgb24")) for f in context.decode(None)]
    return seen


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("name", ["plain", "b_frames", "hevc", "hevc_b", "sound"])
def test_rtsp_gives_every_picture(clips: dict[str, Path], name: str, transport: str) -> None:
    with FakeCamera({name: clips[name]}) as camera:
        packets, video, audio = take(stream(camera.url(name), transport=transport), 140 if name == "sound" else 45)
    pictures = [p for p in packets if p.video]
    assert (video.width, video.height) == (320, 240)
    assert video.codec is (Codec.HEVC if name.startswith("hevc") else Codec.H264)
    assert any(p.key for p in pictures)
    assert all(p.dts <= p.pts for p in pictures)
    assert all(a.dts < b.dts for a, b in itertools.pairwise(pictures))
    seen = numbers(pictures, video)[:-3]  # the last ones wait for pictures that were not read
    assert len(seen) > 15
    assert all((b - a) % 50 == 1 for a, b in itertools.pairwise(seen))
    assert (audio is not None) == (name == "sound")


def test_rtsp_opens_at_once_and_its_sound_is_aac(clips: dict[str, Path]) -> None:
    with FakeCamera({"a": clips["sound"]}) as camera:
        packets, _, audio = take(stream(camera.url("a")), 60)
    heard = [p for p in packets if not p.video]
    assert (audio.codec, audio.rate, audio.channels) == (Codec.AAC, 48_000, 1)
    assert heard
    assert all(abs((b.pts - a.pts) - 1920) <= 2 for a, b in itertools.pairwise(heard))


@pytest.mark.parametrize("secret", ["groom:hay & oats", "groom:p@ss/wörd"])
def test_rtsp_password(clips: dict[str, Path], secret: str) -> None:
    user, password = secret.split(":")
    with FakeCamera({"a": clips["plain"]}, user=user, password=password) as camera:
        assert take(stream(camera.url("a"), secret=secret), 3)[0]
        for wrong in (None, "groom:straw"):
            error = failure(stream(camera.url("a"), secret=wrong))
            assert error.cause == Cause.WRONG_PASSWORD
            assert "straw" not in str(error)


def test_a_password_in_the_address_is_never_told(clips: dict[str, Path]) -> None:
    with FakeCamera({"a": clips["plain"]}, user="groom", password="hay") as camera:
        error = failure(stream(camera.url("a").replace("//", "//groom:secret@")))
    assert error.cause == Cause.WRONG_PASSWORD
    assert "secret" not in f"{error}{error.__cause__}{error.__context__ if not error.__suppress_context__ else ''}"


def test_rtsp_unknown_path_is_not_found(clips: dict[str, Path]) -> None:
    with FakeCamera({"a": clips["plain"]}) as camera:
        assert failure(stream(camera.url("b"))).cause == Cause.NOT_FOUND


@contextmanager
def silent_port() -> Iterator[int]:
    """A socket that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(("scheme", "kind"), [("rtsp", SourceType.RTSP), ("http", SourceType.HLS), ("rtmp", SourceType.RTMP)])
def test_an_address_that_hangs_times_out(scheme: str, kind: SourceType) -> None:
    with silent_port() as port:
        begun = CLOCK.monotonic()
        error = failure(stream(f"{scheme}://127.0.0.1:{port}/live/a", kind), SourceOptions(open_s=0.5, stall_s=0.5))
    assert error.cause == Cause.TIMED_OUT
    assert CLOCK.monotonic() - begun < 10  # not a timing: it ended at all


@pytest.mark.parametrize(("scheme", "kind"), [("rtsp", SourceType.RTSP), ("http", SourceType.HLS), ("rtmp", SourceType.RTMP)])
def test_a_closed_port_is_unreachable(scheme: str, kind: SourceType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert failure(stream(f"{scheme}://127.0.0.1:{port}/a", kind)).cause == Cause.UNREACHABLE


def test_a_camera_that_stops_sending_is_stalled(clips: dict[str, Path]) -> None:
    with FakeCamera({"a": clips["plain"]}) as camera, open_source(stream(camera.url("a")), QUICK, CLOCK) as source:
        packets = source.packets()
        next(packets)
        camera.freeze("a")
        with pytest.raises(SourceError) as caught:
            for _ in packets:
                pass
    assert caught.value.cause == Cause.STALLED


def test_a_camera_that_is_switched_off_is_told_at_once(clips: dict[str, Path]) -> None:
    with FakeCamera({"a": clips["plain"]}) as camera, open_source(stream(camera.url("a")), QUICK, CLOCK) as source:
        packets = source.packets()
        next(packets)
        camera.switch_off()
        with pytest.raises(SourceError) as caught:
            for _ in packets:
                pass
    assert caught.value.cause in {Cause.ENDED, Cause.UNREACHABLE}


def test_a_new_resolution_is_known_before_its_first_packet(clips: dict[str, Path]) -> None:
    sizes = []
    with FakeCamera({"a": clips["plain"]}) as camera, open_source(stream(camera.url("a")), QUICK, CLOCK) as source:
        camera.change("a", clips["small"])
        for packet in itertools.islice(source.packets(), 200):
            if packet.key:
                sizes.append((source.video.width, source.video.height))
            if (160, 128) in sizes:
                break
    assert (320, 240) in sizes
    assert sizes[-1] == (160, 128)


@pytest.mark.parametrize("name", ["plain", "b_frames", "hevc"])
def test_a_file_loops_without_a_seam(clips: dict[str, Path], name: str) -> None:
    packets, video, _ = take(stream(clips[name], SourceType.FILE, pace=False), 120)
    assert all(b.dts - a.dts == 3600 for a, b in itertools.pairwise(packets))
    seen = numbers(packets, video)
    assert seen[:115] == [n % 50 for n in range(115)]


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda p, _: p.write_bytes(b""), Cause.DAMAGED),
        (lambda p, _: p.write_text("Dear groom, the horse is fine.\n" * 50), Cause.NOT_VIDEO),
        (lambda p, good: p.write_bytes(good[:2000]), Cause.DAMAGED),
        (lambda p, _: p.mkdir(), Cause.NOT_VIDEO),
        (lambda *_: None, Cause.NOT_FOUND),
    ],
    ids=["empty", "text", "cut", "folder", "missing"],
)
def test_files_that_are_no_video(tmp_path: Path, clips: dict[str, Path], make: Any, cause: Cause) -> None:
    path = tmp_path / "night.mp4"
    make(path, clips["plain"].read_bytes())
    error = failure(stream(path, SourceType.FILE))
    assert error.cause == cause
    assert "night.mp4" in str(error)


def test_a_file_cut_in_the_middle_plays_what_it_has_and_says_so(tmp_path: Path, clips: dict[str, Path]) -> None:
    whole = clips["faststart"].read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    error = failure(stream(cut, SourceType.FILE, loop=False, pace=False))
    assert error.cause == Cause.DAMAGED


def test_a_cut_file_is_no_camera_that_starts_over_without_a_word(tmp_path: Path, clips: dict[str, Path]) -> None:
    whole = clips["faststart"].read_bytes()
    cut = tmp_path / "cut.mp4"
    for length in (len(whole) // 2, len(whole) - 1):
        cut.write_bytes(whole[:length])
        error = failure(stream(cut, SourceType.FILE, pace=False))
        assert error.cause == Cause.DAMAGED
        assert "cut.mp4 is cut" in str(error)


def test_a_whole_file_once(clips: dict[str, Path]) -> None:
    assert failure(stream(clips["plain"], SourceType.FILE, loop=False, pace=False)).cause == Cause.ENDED


@pytest.mark.parametrize(("name", "cause"), [("mpeg4", Cause.UNSUPPORTED_CODEC), ("only_sound", Cause.NOT_VIDEO)])
def test_what_is_not_recorded_says_so(clips: dict[str, Path], name: str, cause: Cause) -> None:
    assert failure(stream(clips[name], SourceType.FILE)).cause == cause


@pytest.mark.parametrize("transcode", [True, False])
def test_g711_becomes_aac_or_is_left_out_with_one_warning(
    clips: dict[str, Path], transcode: bool, caplog: pytest.LogCaptureFixture
) -> None:
    options = SourceOptions(transcode_audio=transcode)
    packets, _, audio = take(stream(clips["g711"], SourceType.FILE, loop=False, pace=False), 60, options)
    heard = [p for p in packets if not p.video]
    assert sum(p.video for p in packets) >= 30
    if not transcode:
        assert (audio, heard) == (None, [])
        assert len([r for r in caplog.records if "left out" in r.message]) == 1
        return
    assert (audio.codec, audio.rate) == (Codec.AAC, 8000)
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = audio.extradata
    assert sum(f.samples for p in heard for f in decoder.decode(av.Packet(p.data))) > 4000


@pytest.mark.parametrize("name", ["g711", "alaw"])
@pytest.mark.parametrize("transcode", [True, False])
def test_g711_over_rtsp_never_costs_a_picture(
    clips: dict[str, Path], name: str, transcode: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeCamera({"a": clips[name]}) as camera:
        packets, video, audio = take(stream(camera.url("a")), 90, SourceOptions(transcode_audio=transcode))
    seen = numbers(packets, video)
    assert len(seen) >= 20
    assert all((after - before) % 50 == 1 for before, after in itertools.pairwise(seen))
    heard = [p for p in packets if not p.video]
    told = [r for r in caplog.records if "left out" in r.message]
    if not transcode:
        assert (audio, heard, len(told)) == (None, [], 1)
        return
    assert (audio.codec, audio.rate, audio.channels, told) == (Codec.AAC, 8000, 1, [])
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = audio.extradata
    samples = sum(f.samples for p in heard for f in decoder.decode(av.Packet(p.data)))
    assert samples > 4000
    assert all(after.pts > before.pts for before, after in itertools.pairwise(heard))


@pytest.mark.parametrize("kind", ["mpegts", "fmp4"])
def test_hls(tmp_path: Path, clips: dict[str, Path], kind: str) -> None:
    with (
        av.open(str(clips["sound"])) as source,
        av.open(
            str(tmp_path / "live.m3u8"),
            "w",
            format="hls",
            options={"hls_segment_type": kind, "hls_time": "1", "hls_list_size": "0"},
        ) as out,
    ):
        tracks = {s.index: out.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = tracks[packet.stream.index]
                out.mux(packet)
    with web(tmp_path) as base:
        packets, video, audio = take(stream(f"{base}/live.m3u8", SourceType.HLS), 200)
        missing = failure(stream(f"{base}/gone.m3u8", SourceType.HLS))
    assert (video.width, audio.rate) == (320, 48_000)
    assert numbers([p for p in packets if p.video], video) == list(range(50))
    assert missing.cause == Cause.NOT_FOUND


def roll(clip: Path, playlist: Path, times: int) -> None:
    """Write a playlist as a camera does: at the pace of the clip, the last three seconds in the list, the rest deleted."""
    listed = {"hls_time": "1", "hls_list_size": "3", "hls_flags": "delete_segments", "hls_delete_threshold": "1"}
    with av.open(str(playlist), "w", format="hls", options=listed) as out:
        track, begun, sent = None, time.monotonic(), 0
        for _ in range(times):
            with av.open(str(clip)) as source:
                track = track or out.add_stream_from_template(source.streams.video[0])
                for packet in source.demux(video=0):
                    if packet.dts is None:
                        continue
                    time.sleep(max(0.0, begun + sent / 25 - time.monotonic()))
                    packet.dts = packet.pts = round(sent / 25 / packet.time_base)
                    packet.stream = track
                    out.mux(packet)
                    sent += 1


def test_a_list_that_rolls_on_is_followed_without_a_hole(tmp_path: Path, clips: dict[str, Path]) -> None:
    playlist = tmp_path / "live.m3u8"
    camera = threading.Thread(target=roll, args=(clips["plain"], playlist, 5), daemon=True)
    camera.start()
    until(lambda: playlist.exists() and playlist.read_text().count("#EXTINF") >= 2, 10, "the list has begun")
    with web(tmp_path) as base:
        packets, video, _ = take(stream(f"{base}/live.m3u8", SourceType.HLS), 150, SourceOptions(open_s=5.0, stall_s=5.0))
    camera.join()
    seen = numbers(packets, video)
    assert len(seen) == 150  # twice as long as the list
    assert all(after == (before + 1) % 50 for before, after in itertools.pairwise(seen))
