"""H.265 for browsers that cannot play it: live, recorded, as clips; and what is said when that cannot be done."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import av
import pytest
from tests.api.media import film
from tests.api.service import Service, closed_with
from tests.api.test_watching import take_json
from tests.sources.clips import read
from tests.store_rows import NOON_US, chunk_of
from tests.transcode.bench import QUICK, Bench
from websockets.sync.client import ClientConnection

from barnhand.api import conversions
from barnhand.api.fanout import ANSWER_S
from barnhand.api.routes.clips import file_name
from barnhand.api.wire import Kind
from barnhand.core.chunk import Chunk
from barnhand.core.media import Fragment, InitSegment
from barnhand.fragments.naming import chunk_id, chunk_path
from barnhand.store.records import Role

SECOND = 1_000_000


@pytest.fixture
def bench(service: Service, tmp_path: Path) -> Iterator[Bench]:
    """The transcoder of this service; not started yet."""
    made = Bench(service.services.hub_url, tmp_path)
    yield made
    made.close()


def record(
    service: Service, folder: Path, stream: str, start_us: int = NOON_US, *, kind: str = "hevc", **changes: Any
) -> Chunk:
    """A chunk of two seconds with its file and its row."""
    init, fragments = film(folder, stream, start_us, kind=kind)
    data = init.data + b"".join(fragment.data for fragment in fragments)
    fields = {
        "id": chunk_id(stream, start_us),
        "path": chunk_path(stream, start_us),
        "end_us": start_us + 2 * SECOND,
        "start_pts": fragments[0].pts,
        "end_pts": fragments[0].pts + 180_000,
        "bytes": len(data),
        "init_bytes": len(init.data),
        "codec": init.video.codec.value,
        "mime": init.mime,
        "width": init.video.width,
        "height": init.video.height,
        "frames": 50,
    }
    chunk = chunk_of(stream, start_us, **{**fields, **changes})
    path = service.recordings / chunk.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    service.spool.append("chunk", [asdict(chunk)])
    service.copy()
    return chunk


def live(service: Service, folder: Path, stream: str) -> tuple[InitSegment, list[Fragment]]:
    init, fragments = film(folder, stream, NOON_US, kind="hevc")
    service.hub.publish_init(init)
    service.hub.publish_fragments(fragments[:40])  # a group that is shorter than the backlog of a viewer
    return init, fragments


def until_pictures(socket: ClientConnection, count: int) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Text messages and binary ones until ``count`` of the latter are pictures."""
    texts: list[dict[str, Any]] = []
    found: list[bytes] = []
    while sum(message[0] in {Kind.KEY, Kind.DELTA} for message in found) < count:
        message = socket.recv(timeout=20)
        if isinstance(message, str):
            texts.append(json.loads(message))
        else:
            found.append(message)
    return texts, found


def test_two_viewers_share_one_conversion(service: Service, bench: Bench, tmp_path: Path) -> None:
    stream = service.camera()
    init, fragments = live(service, tmp_path, stream)
    transcoder = bench.start()
    token = service.token(Role.VIEWER)
    with service.socket(f"/v1/live/{stream}?codec=h264", token) as first:
        texts, found = until_pictures(first, 14)
        told = next(text for text in texts if text["type"] == "init")
        assert told["mime"].startswith('video/mp4; codecs="avc1.')
        assert (told["width"], told["height"]) == (320, 240)
        assert found[0][0] == Kind.INIT
        assert found[1][0] == Kind.KEY
        pts = [int.from_bytes(message[16:24], "big") for message in found[1:15]]
        assert pts == [fragment.pts for fragment in fragments[25:39]]
        while not any(text["type"] == "conversion" for text in texts):
            message = first.recv(timeout=20)
            texts += [json.loads(message)] if isinstance(message, str) else []
        with service.socket(f"/v1/live/{stream}?codec=h264", token) as second:
            texts, _ = until_pictures(second, 5)
            assert {"type": "conversion", "status": "converting"} in [
                {key: text[key] for key in ("type", "status")} for text in texts if text["type"] == "conversion"
            ]
            assert next(text for text in texts if text["type"] == "conversion")["source_mime"] == init.mime
            assert transcoder.converting == [stream]
        # Those who can play H.265 get it untouched beside it.
        with service.socket(f"/v1/live/{stream}", token) as plain:
            assert take_json(plain)["mime"] == init.mime
    service.hub.forget(stream)


def test_the_limit_is_told_in_a_sentence(service: Service, bench: Bench, tmp_path: Path) -> None:
    one, other = service.camera(), service.camera("Box 2")
    for stream in (one, other):
        live(service, tmp_path, stream)
    bench.start(QUICK)
    token = service.token(Role.VIEWER)
    with service.socket(f"/v1/live/{one}?codec=h264", token) as first:
        until_pictures(first, 1)
        with service.socket(f"/v1/live/{other}?codec=h264", token) as second:
            told = take_json(second)
            while told.get("status") != "waiting":
                told = take_json(second)
    assert told["type"] == "conversion"
    assert "another camera is being converted, the most this machine does at once" in str(told["message"])
    service.hub.forget(one)
    service.hub.forget(other)


def test_without_a_transcoder_a_viewer_is_told(service: Service) -> None:
    stream = service.camera()
    with service.socket(f"/v1/live/{stream}?codec=h264", service.token(Role.VIEWER)) as socket:
        with pytest.raises(TimeoutError):
            socket.recv(timeout=2.5)
        service.clock.advance(ANSWER_S + 1)
        told = take_json(socket)
    assert (told["type"], told["status"]) == ("conversion", "failed")
    assert "does not answer" in str(told["message"])


def test_another_codec_is_refused(service: Service) -> None:
    with service.socket(f"/v1/live/{service.camera()}?codec=av1", service.token(Role.VIEWER)) as socket:
        assert closed_with(socket) == 4400
        assert socket.close_reason == "codec can be h264, or left out for what the camera sends"


def test_a_playlist_in_h264_plays(service: Service, bench: Bench, tmp_path: Path) -> None:
    stream = service.camera()
    record(service, tmp_path, stream)
    record(service, tmp_path, stream, NOON_US + 2 * SECOND, discontinuity=False)
    record(service, tmp_path, stream, NOON_US + 4 * SECOND, kind="plain")
    bench.start()
    token = service.token(Role.VIEWER)
    url = f"/v1/streams/{stream}/playlist.m3u8?start_us={NOON_US}&end_us={NOON_US + 60 * SECOND}&codec=h264"
    with service.client(token) as client:
        text = client.get(url).text
    assert text.count("codec=h264&part=init") == 2
    assert text.count("#EXT-X-BYTERANGE") == 1, "what is H.264 already is left as it is"
    options = {"headers": f"Authorization: Bearer {token}\r\n", "allowed_extensions": "ALL", "extension_picky": "0"}
    with av.open(f"http://{service.address}{url}", options=options) as player:
        numbers = [read(frame.to_ndarray(format="rgb24")) for frame in player.decode(video=0)]
    assert numbers == [*range(50), *range(50), *range(50)]


def test_a_chunk_is_converted_once_and_given_whole_or_in_parts(service: Service, bench: Bench, tmp_path: Path) -> None:
    chunk = record(service, tmp_path, service.camera())
    bench.start()
    with service.signed_in(Role.VIEWER) as client:
        url = f"/v1/chunks/{chunk.id}/media"
        whole = client.get(url, params={"codec": "h264"}, timeout=30)
        assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
        assert b"avc1" in whole.content[:2000]
        init = client.get(url, params={"codec": "h264", "part": "init"}).content
        media = client.get(url, params={"codec": "h264", "part": "media"}).content
        assert init + media == whole.content
        assert init[4:8] == b"ftyp"
        part = client.get(url, params={"codec": "h264"}, headers={"Range": "bytes=0-9"})
        assert (part.status_code, part.content) == (206, whole.content[:10])
        assert b"hvc1" in client.get(url).content[:2000]
    assert (service.services.converted / chunk.path).is_file()


@pytest.mark.parametrize(
    ("params", "status", "words"),
    [
        ({"codec": "vp9"}, 422, "codec: Input should be 'h264'"),
        ({"codec": "h264", "part": "tail"}, 422, "part: Input should be 'init' or 'media'"),
        ({"codec": "h264"}, 503, "could not be converted in time"),
    ],
)
def test_what_cannot_be_had_is_said(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, params: dict[str, str], status: int, words: str
) -> None:
    monkeypatch.setattr(conversions, "CHUNK_WAIT_S", 1.0)
    chunk = record(service, tmp_path, service.camera())
    with service.signed_in(Role.VIEWER) as client:
        answer = client.get(f"/v1/chunks/{chunk.id}/media", params=params)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]


def test_a_chunk_that_is_still_written_is_not_converted(service: Service, tmp_path: Path) -> None:
    chunk = record(service, tmp_path, service.camera(), closed=False)
    with service.signed_in(Role.VIEWER) as client:
        answer = client.get(f"/v1/chunks/{chunk.id}/media", params={"codec": "h264"})
    assert answer.status_code == 409
    assert "still being written" in answer.json()["detail"]


def test_a_damaged_chunk_is_told(service: Service, bench: Bench, tmp_path: Path) -> None:
    chunk = record(service, tmp_path, service.camera())
    (service.recordings / chunk.path).write_bytes(b"not a chunk")
    bench.start()
    with service.signed_in(Role.VIEWER) as client:
        answer = client.get(f"/v1/chunks/{chunk.id}/media", params={"codec": "h264"}, timeout=30)
    assert answer.status_code == 503
    assert "is no BarnHand chunk" in answer.json()["detail"]


@pytest.mark.parametrize("codec", [None, "h264"])
def test_a_clip_is_one_file_that_is_removed_once_it_is_sent(
    service: Service, bench: Bench, tmp_path: Path, codec: str | None
) -> None:
    stream = service.camera("Foaling box")
    for n in range(3):
        record(service, tmp_path, stream, NOON_US + n * 2 * SECOND)
    bench.start()
    params = {"start_us": NOON_US + SECOND, "end_us": NOON_US + 5 * SECOND} | ({"codec": codec} if codec else {})
    with service.signed_in(Role.VIEWER) as client:
        answer = client.get(f"/v1/streams/{stream}/clip.mp4", params=params, timeout=60)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    assert "Foaling%20box%202026-11-25%2012.00.01%20UTC.mp4" in answer.headers["content-disposition"]
    target = tmp_path / "saved.mp4"
    target.write_bytes(answer.content)
    with av.open(str(target)) as file:
        assert file.streams.video[0].codec_context.name == (codec or "hevc")
        numbers = [read(frame.to_ndarray(format="rgb24")) for frame in file.decode(video=0)]
    assert numbers == [*range(25, 50), *range(50), *range(25)]
    assert list((service.services.converted / "clips").glob("*")) == []


@pytest.mark.parametrize(
    ("seconds", "codec", "status", "words"),
    [
        (-1, None, 422, "nd_us is not after start_us"),
        (601, None, 422, "10 min long at most"),
        (121, "h264", 422, "2 min long at most"),
        (60, "mpeg2", 422, "Input should be 'h264'"),
    ],
)
def test_a_clip_that_cannot_be_had(
    service: Service, tmp_path: Path, seconds: int, codec: str | None, status: int, words: str
) -> None:
    stream = service.camera()
    record(service, tmp_path, stream)
    params = {"start_us": NOON_US, "end_us": NOON_US + seconds * SECOND} | ({"codec": codec} if codec else {})
    with service.signed_in(Role.VIEWER) as client:
        answer = client.get(f"/v1/streams/{stream}/clip.mp4", params=params)
    assert answer.status_code == status
    assert words in answer.json()["detail"]


def test_a_clip_of_nothing_and_of_two_sizes(service: Service, tmp_path: Path) -> None:
    stream = service.camera()
    params = {"start_us": NOON_US, "end_us": NOON_US + 60 * SECOND}
    with service.signed_in(Role.VIEWER) as client:
        nothing = client.get(f"/v1/streams/{stream}/clip.mp4", params=params)
        assert (nothing.status_code, "nothing was recorded" in nothing.json()["detail"].lower()) == (404, True)
        record(service, tmp_path, stream)
        record(service, tmp_path, stream, NOON_US + 2 * SECOND, kind="small")
        mixed = client.get(f"/v1/streams/{stream}/clip.mp4", params=params)
    assert mixed.status_code == 422
    assert "changed its picture" in mixed.json()["detail"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Foaling box", "Foaling box 2026-11-25 12.00.00 UTC.mp4"),
        ("../../etc/passwd", "_.._etc_passwd 2026-11-25 12.00.00 UTC.mp4"),
        ('Stall "3": <Süd>', "Stall _3_ _Süd_ 2026-11-25 12.00.00 UTC.mp4"),
        ("...", "camera 2026-11-25 12.00.00 UTC.mp4"),
    ],
)
def test_names_that_every_file_system_takes(name: str, expected: str) -> None:
    assert file_name(name, NOON_US) == expected
