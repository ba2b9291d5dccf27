"""Looking up a video with yt-dlp and reading what it finds, with a web server in YouTube's place: no request leaves."""

from dataclasses import replace
from pathlib import Path

import av
import pytest
from tests.sources.test_open import CLOCK, QUICK, failure, numbers, stream, take
from tests.sources.web import web

from barnhand.core.stream import Cause, SourceType, Stream
from barnhand.sources.options import SourceOptions, YoutubeOptions
from barnhand.sources.youtube import refusal

MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=300000,RESOLUTION=640x480,CODECS="avc1.42c01e"
low.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=1920x1080,CODECS="avc1.42c01e"
high.m3u8
"""


@pytest.fixture
def site(tmp_path: Path, clips: dict[str, Path]) -> Path:
    """A folder with a video in two sizes: what says 1080 lines is the small clip, so that a width tells which was taken."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "master.m3u8").write_text(MASTER)
    for name, clip in (("low", "plain"), ("high", "small")):
        with (
            av.open(str(clips[clip])) as source,
            av.open(str(folder / f"{name}.m3u8"), "w", format="hls", options={"hls_time": "1", "hls_list_size": "0"}) as out,
        ):
            track = out.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = track
                    out.mux(packet)
    return folder


def video(url: str) -> Stream:
    return stream(url, SourceType.YOUTUBE)


def asking(**youtube: object) -> SourceOptions:
    return replace(QUICK, youtube=YoutubeOptions(pause_s=0.05, **youtube))  # type: ignore[arg-type]


def test_the_best_size_up_to_720_lines_is_read_at_its_own_pace(site: Path) -> None:
    with web(site) as base:
        begun = CLOCK.monotonic()
        packets, format_, _ = take(video(f"{base}/master.m3u8"), 200)
        took = CLOCK.monotonic() - begun
    assert format_.width == 320
    assert numbers(packets, format_) == list(range(50))
    assert took >= 1.9, "two seconds of video are not over in the time of a download"
    assert packets[-1].arrived_us - packets[0].arrived_us >= 1_900_000


def test_when_this_machine_is_refused_the_proxies_are_asked_in_turn(site: Path) -> None:
    with web(site) as proxy:
        options = asking(proxies=("http://127.0.0.1:1", proxy))
        packets, _, _ = take(video("http://video.invalid/master.m3u8"), 30, options)
    assert len(packets) == 30, "the pictures come through the proxy too"


def test_without_an_answer_the_last_address_is_good_for_a_while(site: Path, tmp_path: Path) -> None:
    options = asking(cache=tmp_path)
    with web(site) as base:
        take(video(f"{base}/master.m3u8"), 5, options)
        (site / "master.m3u8").unlink()
        packets, _, _ = take(video(f"{base}/master.m3u8"), 30, options)
        assert len(packets) == 30
        assert failure(video(f"{base}/master.m3u8"), asking(cache=tmp_path, keep_s=0)).cause == Cause.NOT_FOUND


def test_an_address_that_ran_out_is_no_wrong_password_and_is_forgotten(site: Path, tmp_path: Path) -> None:
    options = asking(cache=tmp_path)
    with web(site) as base:
        take(video(f"{base}/master.m3u8"), 5, options)
    (kept,) = tmp_path.glob("youtube-*.json")
    assert kept.stat().st_mode & 0o077 == 0
    with web(site, frozenset({"/low.m3u8"})) as base:
        error = failure(video(f"{base}/master.m3u8"), options)
    assert (error.cause, "looked up anew" in str(error)) == (Cause.UNREACHABLE, True)
    assert "low.m3u8" not in str(error)
    assert not kept.exists()


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("ERROR: [youtube] abc: Private video. Sign in if you've been granted access", Cause.WRONG_PASSWORD),
        ("ERROR: [youtube] abc: Sign in to confirm you’re not a bot", Cause.WRONG_PASSWORD),
        ("ERROR: [youtube] abc: Video unavailable. This video has been removed by the uploader", Cause.NOT_FOUND),
        ("ERROR: [youtube] abc: This live event will begin in 3 hours.", Cause.ENDED),
        ("ERROR: [youtube] abc: Requested format is not available. Use --list-formats", Cause.UNSUPPORTED_CODEC),
        ("ERROR: Unsupported URL: https://www.youtube.com/about", Cause.NOT_VIDEO),
        ("ERROR: [youtube] abc: Unable to extract player response; please report this issue", Cause.UNREACHABLE),
        ("ERROR: Unable to download webpage: The read operation timed out", Cause.TIMED_OUT),
        ("ERROR: Unable to download webpage: HTTP Error 429: Too Many Requests", Cause.UNREACHABLE),
    ],
)
def test_what_yt_dlp_says_becomes_a_cause(message: str, cause: Cause) -> None:
    told = refusal("https://www.youtube.com/watch?v=abc", f"{message} http://user:oats@proxy:3128")
    assert told.cause == cause
    assert "oats" not in str(told)
