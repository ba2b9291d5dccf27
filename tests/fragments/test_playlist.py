"""HLS over chunk files: exact ranges and times, a seam wherever the recording has one."""

from dataclasses import replace
from pathlib import Path

import av
import pytest
from tests.fragments.test_fragments import START_US, collect, write
from tests.sources.clips import read

from barnhand.core.chunk import Chunk
from barnhand.core.time import pts_of_wall
from barnhand.fragments.naming import chunk_id, chunk_path, parse_chunk_path
from barnhand.fragments.playlist import vod_playlist
from barnhand.fragments.reader import measure

FIRST = Chunk(
    id="a", stream_id="cam", path="cam/2027-01-15/1.mp4", run=7, start_us=START_US, end_us=START_US + 10_000_000,
    start_pts=pts_of_wall(START_US), end_pts=pts_of_wall(START_US) + 900_000, bytes=5000, init_bytes=700, frames=250,
    codec="h264", mime="video/mp4", width=320, height=240, discontinuity=True, closed=True,
)  # fmt: skip


def after(chunk: Chunk, **changes: object) -> Chunk:
    pts, us = chunk.end_pts, chunk.end_us
    follower = replace(chunk, id=chunk.id + "+", start_us=us, end_us=us + 10_000_000, start_pts=pts, end_pts=pts + 900_000)
    return replace(follower, discontinuity=False, **changes)  # type: ignore[arg-type]


def test_one_chunk() -> None:
    assert vod_playlist([FIRST], lambda c: f"/v1/chunks/{c.id}").splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:10",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="/v1/chunks/a",BYTERANGE="700@0"',
        "#EXT-X-PROGRAM-DATE-TIME:2027-01-15T08:00:00.123Z",
        "#EXTINF:10.000000,",
        "#EXT-X-BYTERANGE:4300@700",
        "/v1/chunks/a",
        "#EXT-X-ENDLIST",
    ]


@pytest.mark.parametrize(
    ("changes", "seams"),
    [({}, 0), ({"run": 8}, 1), ({"start_pts": FIRST.end_pts + 200_000}, 1), ({"start_pts": FIRST.end_pts + 3600}, 0)],
    ids=["continues", "new run", "gap", "one frame late"],
)
def test_a_seam_where_the_recording_has_one(changes: dict[str, int], seams: int) -> None:
    assert vod_playlist([FIRST, after(FIRST, **changes)], lambda c: c.id).count("#EXT-X-DISCONTINUITY") == seams


def test_nothing_recorded_is_an_empty_list() -> None:
    assert vod_playlist([], lambda c: c.id).splitlines()[-1] == "#EXT-X-ENDLIST"


@pytest.mark.parametrize("chunks", [[replace(FIRST, closed=False)], [after(FIRST), FIRST]], ids=["open", "disorder"])
def test_what_cannot_be_listed(chunks: list[Chunk]) -> None:
    with pytest.raises(ValueError, match="chunk"):
        vod_playlist(chunks, lambda c: c.id)


def test_ffmpeg_plays_the_list(tmp_path: Path, clips: dict[str, Path]) -> None:
    init, made = collect(clips["b_frames"])
    cut = next(i for i, f in enumerate(made) if f.key and i)
    chunks = []
    for part in (made[:cut], made[cut:]):
        path = write(tmp_path / f"{part[0].pts}.mp4", [init, *part])
        extent = measure(path, "cam")
        assert extent is not None
        chunks.append(replace(
            FIRST, id=path.name, path=path.name, start_us=extent.start_us, end_us=extent.end_us, start_pts=extent.start_pts,
            end_pts=extent.end_pts, bytes=extent.bytes, init_bytes=extent.init_bytes, frames=extent.frames, discontinuity=False,
        ))  # fmt: skip
    (tmp_path / "all.m3u8").write_text(vod_playlist(chunks, lambda c: c.path))
    with av.open(str(tmp_path / "all.m3u8"), options={"allowed_extensions": "ALL"}) as container:
        seen = [(f.pts, read(f.to_ndarray(format="rgb24"))) for f in container.decode(video=0)]
    assert [number for _, number in seen] == list(range(50))
    assert seen[0][0] == made[0].pts


@pytest.mark.parametrize(
    ("stream_id", "start_us", "path"),
    [
        ("cam", 0, "cam/1970-01-01/0.mp4"),
        ("0b6e-42", 1_800_000_000_123_456, "0b6e-42/2027-01-15/1800000000123456.mp4"),
    ],
)
def test_names(stream_id: str, start_us: int, path: str) -> None:
    assert chunk_path(stream_id, start_us) == path
    assert parse_chunk_path(path) == (stream_id, start_us)
    assert chunk_id(stream_id, start_us) == chunk_id(stream_id, start_us) != chunk_id(stream_id, start_us + 1)


@pytest.mark.parametrize("stream_id", ["", "..", "a/b", "../etc", "a\0b", "x" * 200])
def test_a_stream_cannot_leave_its_folder(stream_id: str) -> None:
    with pytest.raises(ValueError, match="cannot name a folder"):
        chunk_path(stream_id, 0)


@pytest.mark.parametrize(
    "path", ["cam/1970-01-02/0.mp4", "cam/0.mp4", "cam/1970-01-01/0.txt", "cam/1970-01-01/x.mp4", "a/b/c/d"]
)
def test_foreign_files_are_no_chunks(path: str) -> None:
    assert parse_chunk_path(path) is None
