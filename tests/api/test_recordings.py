"""What is on disk, as bytes, playlists and pictures."""

from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import pytest
from tests.api.media import film
from tests.api.service import Service
from tests.sources.clips import read
from tests.store_rows import NOON_US, chunk_of

from barnhand.core.chunk import Chunk
from barnhand.store.records import Role

SECOND = 1_000_000


def record(service: Service, tmp_path: Path, stream: str, start_us: int = NOON_US, **changes: Any) -> tuple[Chunk, bytes]:
    """A chunk with its file and its row."""
    init, fragments = film(tmp_path, stream, start_us)
    data = init.data + b"".join(fragment.data for fragment in fragments)
    chunk = chunk_of(
        stream,
        start_us,
        bytes=len(data),
        init_bytes=len(init.data),
        mime=init.mime,
        frames=50,
        **{"end_us": start_us + 2 * SECOND, "end_pts": fragments[0].pts + 180_000, **changes},
    )
    path = service.recordings / chunk.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    service.spool.append("chunk", [asdict(chunk)])
    service.copy()
    return chunk, data


def test_chunks_of_a_time(service: Service) -> None:
    stream = service.camera()
    service.spool.append("chunk", [asdict(chunk_of(stream, NOON_US + n * 10 * SECOND)) for n in range(6)])
    service.copy()
    with service.signed_in(Role.VIEWER) as client:
        url = f"/v1/streams/{stream}/chunks"
        found = client.get(url, params={"start_us": NOON_US + 15 * SECOND, "end_us": NOON_US + 40 * SECOND}).json()
        assert [(chunk["start_us"] - NOON_US) // SECOND for chunk in found] == [10, 20, 30]
        assert found[0]["state"] == "pending"
        assert "path" not in found[0]
        first = client.get(url, params={"limit": 4})
        rest = client.get(url, params={"limit": 4, "start_us": first.headers["x-next-cursor"]})
        assert [chunk["id"] for chunk in first.json() + rest.json()] == [
            f"{stream}-{NOON_US + n * 10 * SECOND}" for n in range(6)
        ]
        assert client.get(url, params={"start_us": 9, "end_us": 9}).status_code == 422
        service.spool.append("chunk_analysed", [{"id": found[0]["id"], "state": "analysed", "cause": None}])
        service.copy()
        for word in ("analysed", "processed"):
            assert [chunk["id"] for chunk in client.get(url, params={"state": word}).json()] == [found[0]["id"]]


def test_gaps_say_why(service: Service) -> None:
    stream = service.camera()
    gap = {"stream_id": stream, "start_us": NOON_US, "end_us": None, "cause": "unreachable", "message": "no route"}
    service.spool.append("gap", [gap])
    service.copy()
    with service.signed_in(Role.VIEWER) as client:
        assert client.get(f"/v1/streams/{stream}/gaps").json() == [gap]


def test_bytes_whole_and_by_range(service: Service, tmp_path: Path) -> None:
    chunk, data = record(service, tmp_path, service.camera())
    with service.signed_in(Role.VIEWER) as client:
        url = client.get(f"/v1/chunks/{chunk.id}").json()["media"]
        whole = client.get(url)
        assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, data, "video/mp4")
        part = client.get(url, headers={"Range": f"bytes={chunk.init_bytes}-{chunk.init_bytes + 99}"})
        assert (part.status_code, part.content) == (206, data[chunk.init_bytes :][:100])
        assert part.headers["content-range"] == f"bytes {chunk.init_bytes}-{chunk.init_bytes + 99}/{len(data)}"
        assert client.get(url, headers={"Range": "bytes=99999999-"}).status_code == 416
        assert client.get("/v1/chunks/none/media").status_code == 404


@pytest.mark.parametrize("path", ["../secrets/master.key", "/etc/passwd", "gone/away.mp4"])
def test_a_row_leads_to_no_file_outside(service: Service, path: str) -> None:
    chunk = chunk_of(service.camera(), NOON_US, path=path)
    service.spool.append("chunk", [asdict(chunk)])
    service.copy()
    with service.signed_in(Role.VIEWER) as client:
        answer = client.get(f"/v1/chunks/{chunk.id}/media")
    assert answer.status_code == 404
    assert "barnhand check" in answer.json()["detail"]


def test_a_playlist_plays(service: Service, tmp_path: Path) -> None:
    """FFmpeg reads it as a player would: every picture of both chunks, the gap between them told."""
    stream = service.camera()
    record(service, tmp_path, stream, NOON_US)
    record(service, tmp_path, stream, NOON_US + 60 * SECOND, discontinuity=True)
    open_chunk = chunk_of(stream, NOON_US + 62 * SECOND, closed=False)
    service.spool.append("chunk", [asdict(open_chunk)])
    service.copy()
    token = service.token(Role.VIEWER)
    url = f"/v1/streams/{stream}/playlist.m3u8?start_us={NOON_US}&end_us={NOON_US + 3600 * SECOND}"
    with service.client(token) as client:
        answer = client.get(url)
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert answer.text.count("#EXTINF") == 2
    assert answer.text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert "#EXT-X-PROGRAM-DATE-TIME:2026-11-25T12:01:00.000Z" in answer.text
    options = {"headers": f"Authorization: Bearer {token}\r\n"}
    with av.open(f"http://{service.address}{url}", options=options) as player:
        numbers = [read(frame.to_ndarray(format="rgb24")) for frame in player.decode(video=0)]
    assert numbers == [*range(50), *range(50)]


@pytest.mark.parametrize(("span", "status"), [(25 * 3600, 422), (-1, 422), (3600, 404)])
def test_a_time_without_a_playlist(service: Service, span: int, status: int) -> None:
    params = {"start_us": NOON_US, "end_us": NOON_US + span * SECOND}
    with service.signed_in(Role.VIEWER) as client:
        answer = client.get(f"/v1/streams/{service.camera()}/playlist.m3u8", params=params)
    assert answer.status_code == status


def number_of(jpeg: bytes) -> int:
    with av.open(BytesIO(jpeg), format="jpeg_pipe") as file:
        return read(next(file.decode(video=0)).to_ndarray(format="rgb24"))


def test_a_snapshot_is_the_newest_key_frame(service: Service, tmp_path: Path) -> None:
    stream = service.camera()
    init, fragments = film(tmp_path, stream, NOON_US)
    with service.signed_in(Role.VIEWER) as client:
        assert client.get(f"/v1/streams/{stream}/snapshot.jpg").status_code == 404
        service.hub.publish_init(init)
        service.hub.publish_fragments(fragments[:30])
        answer = client.get(f"/v1/streams/{stream}/snapshot.jpg")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert number_of(answer.content) == 25
        assert int(answer.headers["x-taken-us"]) == pytest.approx(NOON_US + SECOND, abs=20)
    service.hub.forget(stream)


def test_a_camera_that_is_not_live_shows_its_last_recording(service: Service, tmp_path: Path) -> None:
    stream = service.camera()
    record(service, tmp_path, stream)
    with service.signed_in(Role.VIEWER) as client:
        answer = client.get(f"/v1/streams/{stream}/snapshot.jpg")
    assert answer.status_code == 200
    assert number_of(answer.content) == 25
