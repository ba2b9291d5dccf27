"""The two WebSockets, with a real hub behind them."""

import asyncio
import json
import struct
from pathlib import Path
from uuid import uuid4

import pytest
from tests.api.media import film
from tests.api.service import Service, closed_with, state_of
from tests.store_rows import NOON_US, horse_seen, observation_of
from websockets.sync.client import ClientConnection

from barnhand.api.fanout import LiveFanout
from barnhand.api.wire import HEADER_BYTES, Kind
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.stream import Cause, Status
from barnhand.hub.async_hub import AsyncHub
from barnhand.store.records import Role

SECOND = 1_000_000


def take(socket: ClientConnection) -> tuple[int, int, int, bytes]:
    """Kind, wall time, pts and body of the next binary message."""
    message = socket.recv(timeout=10)
    assert isinstance(message, bytes)
    assert message[1:8] == bytes(7)
    wall_us, pts = struct.unpack(">QQ", message[8:24])
    return message[0], wall_us, pts, message[24:]


def take_json(socket: ClientConnection) -> dict[str, object]:
    message = socket.recv(timeout=10)
    assert isinstance(message, str)
    found = json.loads(message)
    assert isinstance(found, dict)
    return found


def test_live_starts_at_the_newest_key_frame_and_goes_on(service: Service, tmp_path: Path) -> None:
    stream = service.camera()
    init, fragments = film(tmp_path, stream, NOON_US)
    service.hub.publish_init(init)
    service.hub.publish_fragments(fragments[:30])
    token = service.token(Role.VIEWER)
    with service.socket(f"/v1/live/{stream}", token) as first:
        assert take_json(first) == {"type": "init", "run": 7, "mime": init.mime, "width": 320, "height": 240}
        assert take(first)[::3] == (Kind.INIT, init.data)
        for fragment in fragments[25:30]:
            kind = Kind.KEY if fragment.key else Kind.DELTA
            assert take(first) == (kind, fragment.wall_us, fragment.pts, fragment.data)
        # One that comes later shares the same reader of the hub and starts at the same key frame.
        with service.socket(f"/v1/live/{stream}", token) as second:
            take_json(second)
            take(second)
            assert take(second)[1] == fragments[25].wall_us
            service.hub.publish_fragments(fragments[30:31])
            assert take(first)[2] == fragments[30].pts
            later = [take(second)[2] for _ in range(5)]
            assert later[-1] == fragments[30].pts
    service.hub.forget(stream)


def test_a_new_run_begins_with_its_init_segment(service: Service, tmp_path: Path) -> None:
    stream = service.camera()
    init, fragments = film(tmp_path, stream, NOON_US, run=1)
    again, more = film(tmp_path, stream, NOON_US + 60 * SECOND, run=2)
    service.hub.publish_init(init)
    service.hub.publish_fragments(fragments[:1])
    with service.socket(f"/v1/live/{stream}", service.token(Role.VIEWER)) as socket:
        assert take_json(socket)["run"] == 1
        take(socket)
        take(socket)
        service.hub.publish_init(again)
        service.hub.publish_fragments(more[:2])
        assert take_json(socket)["run"] == 2
        assert take(socket)[0] == Kind.INIT
        assert take(socket)[2] == more[0].pts
    service.hub.forget(stream)


def test_a_viewer_that_falls_behind_goes_on_at_the_next_key_frame(service: Service, tmp_path: Path) -> None:
    init, fragments = film(tmp_path, "s", NOON_US)

    async def watch() -> list[int]:
        fanout = LiveFanout(AsyncHub(service.services.hub_url), "s", backlog=10)
        slow, quick = fanout.join(), fanout.join()
        quick_got = 0
        items: list[InitSegment | Fragment] = [init, *fragments[:30]]
        for item in items:
            fanout.receive(item)
            while len(quick.mailbox):
                await quick.mailbox.take()
                quick_got += 1
        assert quick_got == 2 + 30
        found = []
        while len(slow.mailbox):
            message = await slow.mailbox.take()
            found.append(message[0] if isinstance(message, bytes) else -1)
        return found

    # A key frame at 0 and at 25: it lost the rest of the first second and has all of the next.
    assert asyncio.run(watch()) == [-1, Kind.INIT, Kind.KEY, *[Kind.DELTA] * 4]


def test_a_slow_viewer_resumes_decodably(service: Service, tmp_path: Path) -> None:
    init, fragments = film(tmp_path, "s", NOON_US)

    async def watch() -> list[object]:
        fanout = LiveFanout(AsyncHub(service.services.hub_url), "s", backlog=10)
        viewer = fanout.join()
        for item in [init, *fragments[:26]]:  # ends with the key frame of the next second
            fanout.receive(item)
        return [await viewer.mailbox.take() for _ in range(len(viewer.mailbox))]

    text, head, key = asyncio.run(watch())
    assert isinstance(text, str)
    assert isinstance(head, bytes)
    assert isinstance(key, bytes)
    assert (head[0], key[0]) == (Kind.INIT, Kind.KEY)
    assert key[HEADER_BYTES:] == fragments[25].data


def test_updates_resume_and_go_on(service: Service) -> None:
    stream = service.camera()
    seen = [observation_of(stream, NOON_US + n * SECOND, horse_seen(n)) for n in range(4)]
    for observation in seen[:3]:
        service.hub.publish_observation(observation)
    token = service.token(Role.VIEWER)
    with service.socket(f"/v1/ws/streams/{stream}?since={NOON_US}", token) as socket:
        for observation in seen[1:3]:
            assert take_json(socket) == {"type": "detection:update", **observation.to_dict()}
        service.hub.publish_observation(seen[3])
        assert take_json(socket)["wall_us"] == seen[3].wall_us
    service.hub.forget(stream)


@pytest.mark.parametrize("path", ["/v1/ws/streams/{}", "/v1/ws/stream/{}", "/ws/stream/{}"])
def test_states_and_events_come_too(service: Service, path: str) -> None:
    stream, other = service.camera(), service.camera("Box 2")
    service.hub.publish_state(state_of(stream))
    with service.socket(path.format(stream), service.token(Role.VIEWER)) as socket:
        first = take_json(socket)
        assert (first["type"], first["role"], first["status"], first["message"]) == ("state", "recorder", "active", "recording")
        # Its subscription to events is up once it has answered a ping behind the first message and an event came through.
        service.hub.publish_state(state_of(other))
        service.hub.publish_state(state_of(stream, Status.ERROR, Cause.STALLED, "no picture for 5 s"))
        service.hub.publish_event("chunk:created", {"stream_id": stream, "id": "c1"})
        told = take_json(socket)
        assert (told["type"], told["stream_id"], told["cause"]) == ("state", stream, "stalled")
        assert take_json(socket) == {"type": "chunk:created", "stream_id": stream, "id": "c1"}
    service.hub.forget(stream)
    service.hub.forget(other)


def test_who_may_not_watch_is_told_why(service: Service) -> None:
    stream = service.camera()
    for path in (f"/v1/live/{stream}", f"/v1/ws/streams/{stream}"):
        with service.socket(path) as socket:
            assert closed_with(socket) == 4401
        with service.socket(path, "no token") as socket:
            assert closed_with(socket) == 4401
        with service.socket(f"{path}?ticket=guess") as socket:
            assert closed_with(socket) == 4401
    with service.socket(f"/v1/live/{uuid4()}", service.token()) as socket:
        assert closed_with(socket) == 4404


def test_a_page_from_elsewhere_may_not_watch(service: Service) -> None:
    stream, token = service.camera(), service.token()
    cookie = {"additional_headers": {"Cookie": f"barnhand_session={token}"}}
    from websockets.sync.client import connect

    address = f"ws://{service.address}/v1/live/{stream}"
    with connect(address, proxy=None, origin="https://evil.example", **cookie) as socket:  # type: ignore[arg-type]
        assert closed_with(socket) == 4403


def test_nothing_is_read_of_a_stream_nobody_watches(service: Service, tmp_path: Path) -> None:
    stream = service.camera()
    init, fragments = film(tmp_path, stream, NOON_US)
    service.hub.publish_init(init)
    service.hub.publish_fragments(fragments[:2])
    fanouts = service.app.state.barnhand.fanouts
    with service.socket(f"/v1/live/{stream}", service.token()) as socket:
        take_json(socket)
        assert fanouts.viewers()["live"] == 1
    for _ in range(200):
        if fanouts.viewers()["live"] == 0:
            break
        service.client().get("/healthz")
    assert fanouts.viewers() == {"live": 0, "updates": 0}
    service.hub.forget(stream)
