"""From a camera's address to rows, recordings and messages: the main job, with every part real."""

import json
import time
from pathlib import Path

import av
import httpx
import pytest
from benchmarks.yard import Cameras, Yard, until
from websockets.sync.client import connect

from barnhand.core.time import pts_of_wall


def ticket(yard: Yard) -> str:
    answer = yard.client.post("/v1/tickets")
    answer.raise_for_status()
    return str(answer.json()["ticket"])


def test_a_camera_is_recorded_and_said_to_be(yard: Yard, paddock: str) -> None:
    stream = until(lambda: (s := yard.stream(paddock))["recording"] and s, 30, "the recording is known")
    assert stream["status"] == "active"
    assert stream["state"]["cause"] == "none"


def test_horses_are_found_and_stored(yard: Yard, paddock: str) -> None:
    def found() -> list[dict[str, object]]:
        answer = yard.client.get("/v1/detections", params={"stream_id": paddock, "limit": 20})
        answer.raise_for_status()
        return list(answer.json())

    detections = until(found, 60, "a detection has a row")
    first = detections[0]
    assert {"timestamp", "stream_id", "horse_id", "bbox", "pose", "metrics"} <= first.keys()
    assert first["bbox"]["width"] > 0  # type: ignore[index]
    assert len(first["pose"]["keypoints"]) == 20  # type: ignore[index]


def test_what_is_seen_live_belongs_to_a_picture_that_was_sent(yard: Yard, paddock: str) -> None:
    base = yard.address.replace("http", "ws")
    pictures: set[int] = set()
    with (
        connect(f"{base}/v1/live/{paddock}?ticket={ticket(yard)}", max_size=None) as live,
        connect(f"{base}/v1/ws/streams/{paddock}?ticket={ticket(yard)}") as told,
    ):
        hello = json.loads(live.recv(10))
        assert hello["type"] == "init"
        assert hello["mime"].startswith("video/mp4; codecs=")
        observed: list[dict[str, object]] = []
        end = time.monotonic() + 20
        while time.monotonic() < end and len([o for o in observed if o["pts"] in pictures]) < 3:
            message = live.recv(10)
            assert isinstance(message, bytes)
            if message[0] in {0, 1}:
                pictures.add(int.from_bytes(message[16:24], "big"))
            try:
                while True:
                    update = json.loads(told.recv(0.001))
                    if update["type"] == "detection:update":
                        observed.append(update)
            except TimeoutError:
                continue
    matched = [update for update in observed if update["pts"] in pictures]
    assert len(matched) >= 3, "observations name pictures by the pts they were sent with"
    assert all(update["horses"] is not None for update in matched)


def test_a_recording_plays_back_over_the_api(yard: Yard, paddock: str, tmp_path: Path) -> None:
    chunk = until(lambda: [c for c in yard.chunks(paddock) if c["closed"]], 40, "a chunk is closed")[0]
    media = yard.client.get(f"/v1/chunks/{chunk['id']}/media")
    assert len(media.content) == chunk["bytes"]
    path = tmp_path / "chunk.mp4"
    path.write_bytes(media.content)
    with av.open(str(path)) as container:
        pts = [frame.pts for frame in container.decode(video=0)]
    assert len(pts) == chunk["frames"]
    assert pts[0] == chunk["start_pts"]
    assert abs(pts[0] - pts_of_wall(chunk["start_us"])) <= 1, "media time is wall-clock time"
    playlist = yard.client.get(
        f"/v1/streams/{paddock}/playlist.m3u8", params={"start_us": chunk["start_us"], "end_us": chunk["end_us"]}
    )
    assert "#EXT-X-PROGRAM-DATE-TIME" in playlist.text
    assert "BYTERANGE" in playlist.text


def test_a_picture_of_now_is_a_jpeg(yard: Yard, paddock: str) -> None:
    answer = yard.client.get(f"/v1/streams/{paddock}/snapshot.jpg")
    assert answer.status_code == httpx.codes.OK
    assert answer.content[:2] == b"\xff\xd8"


def test_a_second_barnhand_on_the_same_folder_is_refused_in_words(yard: Yard) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "barnhand", "up"], env=yard.environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode != 0
    assert "already runs" in done.stderr


def bad_files(folder: Path, good: Path) -> dict[str, tuple[Path, set[str]]]:
    empty, text, cut = folder / "empty.mp4", folder / "text.mp4", folder / "cut.mp4"
    empty.write_bytes(b"")
    text.write_text("the farrier comes on Tuesday\n" * 50)
    data = good.read_bytes()
    # Without its second half a plain mp4 has lost the table of contents at its end, or most pictures.
    cut.write_bytes(data[: len(data) // 3])
    return {
        "empty": (empty, {"not_video", "damaged"}),
        "text": (text, {"not_video", "damaged"}),
        "missing": (folder / "missing.mp4", {"not_found"}),
        "cut": (cut, {"damaged"}),
    }


@pytest.mark.parametrize("kind", ["empty", "text", "missing", "cut"])
def test_a_bad_file_has_a_clear_state_and_disturbs_nothing(
    yard: Yard, paddock: str, tmp_path: Path, cameras: Cameras, kind: str
) -> None:
    from barnhand.demo import films

    path, causes = bad_files(tmp_path, films()[0].video)[kind]
    answer = yard.client.post("/v1/streams", json={"name": kind, "source_type": "file", "source_url": str(path), "start": True})
    stream_id = answer.json()["id"]
    state = until(lambda: (s := yard.stream(stream_id)["state"]) and s["cause"] in causes and s, 20, f"{kind} is recognised")
    assert len(state["message"]) > 10
    before = len(yard.chunks(paddock))
    until(lambda: len(yard.chunks(paddock)) > before, 30, "the other camera goes on")
    yard.client.delete(f"/v1/streams/{stream_id}").raise_for_status()


@pytest.mark.parametrize(
    ("path", "cause"), [("nothing-here", "not_found"), (None, "unreachable")], ids=["no such camera", "nobody there"]
)
def test_a_bad_address_has_a_clear_state(yard: Yard, cameras: Cameras, path: str | None, cause: str) -> None:
    from benchmarks.yard import free_port

    url = cameras.url(path) if path else f"rtsp://127.0.0.1:{free_port()}/x"
    stream_id = yard.add(cause, url)
    until(lambda: (yard.stream(stream_id)["state"] or {}).get("cause") == cause, 20, f"the state says {cause}")
    yard.client.delete(f"/v1/streams/{stream_id}").raise_for_status()
