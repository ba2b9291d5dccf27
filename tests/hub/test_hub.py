"""What the hub promises its readers."""

import asyncio
import itertools
from collections.abc import Iterator

import numpy as np
import psutil
import pytest
from tests.servers import HubServer, hub_of

from barnhand.core.errors import HubError
from barnhand.core.identity import Certainty, Identity
from barnhand.core.media import AudioFormat, Codec, Fragment, InitSegment, VideoFormat
from barnhand.core.observation import HorseObservation, Observation
from barnhand.core.stream import Cause, Status, StreamState
from barnhand.hub import keys
from barnhand.hub.async_hub import AsyncHub
from barnhand.hub.embedded import EmbeddedHub, socket_path
from barnhand.hub.hub import Hub
from barnhand.hub.tasks import end

names = (f"cam-{n}" for n in itertools.count())


@pytest.fixture
def hub(hub_server: HubServer) -> Iterator[Hub]:
    hub = Hub(hub_server.url)
    yield hub
    hub.close()


@pytest.fixture
def stream_id() -> str:
    return next(names)


def init_segment(stream_id: str, run: int = 1, audio: bool = False) -> InitSegment:
    sound = AudioFormat(Codec.AAC, 48_000, 1, b"\x11\x88") if audio else None
    return InitSegment(
        stream_id,
        run,
        1_000_000,
        b"ftypmoov",
        'video/mp4; codecs="avc1.64001f"',
        VideoFormat(Codec.H264, 640, 360, b"\1d\0"),
        sound,
    )


def group(stream_id: str, first: int, frames: int = 5, run: int = 1) -> list[Fragment]:
    """A key frame and its followers; pts counts frames."""
    return [
        Fragment(stream_id, run, True, n == first, n, n, 1, 1_000_000 + n, b"data%d" % n) for n in range(first, first + frames)
    ]


def pts(items: list[InitSegment | Fragment]) -> list[int]:
    return [item.pts for item in items if isinstance(item, Fragment)]


def test_a_reader_starts_with_the_init_segment_and_the_newest_group(hub: Hub, stream_id: str) -> None:
    init = init_segment(stream_id, audio=True)
    hub.publish_init(init)
    hub.publish_fragments(group(stream_id, 0))
    hub.publish_fragments(group(stream_id, 5, frames=3))
    items = hub.live([stream_id]).read()
    assert items[0] == init
    assert items[1:] == group(stream_id, 5, frames=3)


def test_a_reader_goes_on_where_it_was(hub: Hub, stream_id: str) -> None:
    hub.publish_init(init_segment(stream_id))
    hub.publish_fragments(group(stream_id, 0))
    reader = hub.live([stream_id])
    assert pts(reader.read()) == [0, 1, 2, 3, 4]
    hub.publish_fragments(group(stream_id, 5))
    assert pts(reader.read()) == [5, 6, 7, 8, 9]
    assert reader.read(block_ms=5) == []


def test_only_the_last_two_groups_are_held(hub: Hub, stream_id: str) -> None:
    hub.publish_init(init_segment(stream_id))
    for n in range(6):
        hub.publish_fragments(group(stream_id, 5 * n))
    held = hub._client.xrange(keys.live_key(stream_id))
    assert [int(fields[b"p"]) for _, fields in held] == list(range(20, 30))


def test_a_slow_reader_goes_on_at_a_key_frame(hub: Hub, stream_id: str) -> None:
    hub.publish_init(init_segment(stream_id))
    hub.publish_fragments(group(stream_id, 0, frames=2))
    reader = hub.live([stream_id])
    reader.read()
    hub.publish_fragments(group(stream_id, 0, frames=5)[2:])
    for n in range(1, 6):
        hub.publish_fragments(group(stream_id, 5 * n))
    assert pts(reader.read()) == list(range(20, 30)), "entries 2 to 19 were trimmed; no group begins in its middle"


def test_skipping_leaves_out_what_is_waiting(hub: Hub, stream_id: str) -> None:
    hub.publish_init(init_segment(stream_id))
    hub.publish_fragments(group(stream_id, 0))
    reader = hub.live([stream_id])
    reader.read()
    hub.publish_fragments(group(stream_id, 5) + group(stream_id, 10, frames=2))
    reader.skip_to_newest(stream_id)
    items = reader.read()
    assert isinstance(items[0], InitSegment)
    assert pts(items) == [10, 11]


def test_a_new_run_is_announced_before_its_fragments(hub: Hub, stream_id: str) -> None:
    hub.publish_init(init_segment(stream_id, run=1))
    hub.publish_fragments(group(stream_id, 0))
    reader = hub.live([stream_id])
    reader.read()
    hub.publish_init(init_segment(stream_id, run=2))
    hub.publish_fragments(group(stream_id, 100, run=2))
    items = reader.read()
    assert items[0] == init_segment(stream_id, run=2)
    assert pts(items) == [100, 101, 102, 103, 104]


def test_an_init_segment_said_again_changes_nothing(hub: Hub, stream_id: str) -> None:
    hub.publish_init(init_segment(stream_id))
    hub.publish_fragments(group(stream_id, 0))
    reader = hub.live([stream_id])
    reader.read()
    hub.publish_init(init_segment(stream_id))
    hub.publish_fragments(group(stream_id, 0, frames=8)[5:])
    assert [item.pts for item in reader.read() if isinstance(item, Fragment)] == [5, 6, 7]
    assert not any(isinstance(item, InitSegment) for item in reader.read(block_ms=5))


def test_a_late_reader_sees_nothing_of_the_run_before(hub: Hub, stream_id: str) -> None:
    hub.publish_init(init_segment(stream_id, run=1))
    hub.publish_fragments(group(stream_id, 0))
    hub.publish_init(init_segment(stream_id, run=2))
    reader = hub.live([stream_id])
    assert reader.read() == [init_segment(stream_id, run=2)]
    hub.publish_fragments(group(stream_id, 50, run=2))
    assert pts(reader.read()) == [50, 51, 52, 53, 54]


def test_a_reader_may_come_before_the_camera(hub: Hub, stream_id: str) -> None:
    reader = hub.live([stream_id])
    assert reader.read(block_ms=5) == []
    hub.publish_init(init_segment(stream_id))
    hub.publish_fragments(group(stream_id, 0))
    items = reader.read()
    assert isinstance(items[0], InitSegment)
    assert pts(items) == [0, 1, 2, 3, 4]


def test_states_checkpoints_and_events_come_back(hub: Hub, stream_id: str) -> None:
    events = hub.events()
    events.read(block_ms=1)
    state = StreamState(stream_id, Status.ERROR, Cause.WRONG_PASSWORD, "The camera refuses the password.", 5, {"tries": 2})
    hub.publish_state(state)
    assert hub.states()[stream_id] == state
    assert stream_id not in hub.states("analyst")
    hub.publish_event("chunk:created", {"id": "x"})
    assert events.read() == [("state:recorder", state.to_dict()), ("chunk:created", {"id": "x"})]
    assert hub.load_checkpoint(stream_id) is None
    hub.save_checkpoint(stream_id, b"tracks")
    assert hub.load_checkpoint(stream_id) == b"tracks"
    hub.forget(stream_id)
    assert stream_id not in hub.states()


def test_a_running_server_is_taken_over(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("taken")
    first, second = EmbeddedHub(folder), EmbeddedHub(folder)
    first.start()
    assert second.alive()
    second.start()
    second.stop()
    assert not first.alive()


def test_a_server_that_runs_but_is_mute_is_replaced_and_not_left_running(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("barnhand.hub.embedded.MUTE_SECONDS", 0.5)
    folder = tmp_path_factory.mktemp("mute")
    first, second = EmbeddedHub(folder), None
    first.start()
    frozen = psutil.Process(int((socket_path(folder).with_suffix(".pid")).read_text()))
    frozen.suspend()
    try:
        second = EmbeddedHub(folder)  # another supervisor knows it by its file alone
        second.start()
        assert second.alive()
        assert not frozen.is_running() or frozen.status() == psutil.STATUS_ZOMBIE
    finally:
        if frozen.is_running():
            frozen.kill()
        if second is not None:
            second.stop()


def test_an_absent_hub_is_a_clear_error() -> None:
    with pytest.raises(HubError, match="does not answer"):
        Hub("unix:///nonexistent/valkey.sock").ping()


def observation(stream_id: str, wall_us: int) -> Observation:
    horse = HorseObservation(
        3,
        "#87CEEB",
        np.array([1, 2, 3, 4], np.float32),
        0.5,
        Identity(None, "Unknown 1", Certainty.UNKNOWN),
        None,
        {"speed": None},
    )
    return Observation(stream_id, wall_us, wall_us * 9 // 100, 640, 360, (horse,))


async def test_observations_resume_after_a_time(hub: Hub, hub_server: HubServer, stream_id: str) -> None:
    for wall_us in (100, 200, 300):
        hub.publish_observation(observation(stream_id, wall_us))
    assert hub.latest_observation("nobody") is None
    latest = hub.latest_observation(stream_id)
    assert latest is not None
    assert latest.wall_us == 300
    async_hub = AsyncHub(hub_server.url)
    stream = async_hub.observations(stream_id, since_us=100)
    seen = [await anext(stream), await anext(stream)]
    assert [item.to_dict() for item in seen] == [observation(stream_id, us).to_dict() for us in (200, 300)]
    hub.publish_observation(observation(stream_id, 400))
    assert (await anext(stream)).wall_us == 400
    await stream.aclose()
    await async_hub.close()


async def test_the_api_reads_live_fragments_and_survives_a_restart(
    server_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = hub_of(server_kind, tmp_path_factory.mktemp("restarting"))
    server.start()
    hub, async_hub = Hub(server.url), AsyncHub(server.url)
    try:
        hub.publish_init(init_segment("a"))
        hub.publish_fragments(group("a", 0))
        stream = async_hub.live("a")
        items = [await anext(stream) for _ in range(6)]
        assert isinstance(items[0], InitSegment)
        assert pts(items) == [0, 1, 2, 3, 4]
        server.stop()
        server.start()
        hub.publish_init(init_segment("a", run=2))
        hub.publish_fragments(group("a", 9, frames=2, run=2))
        again = [await anext(stream) for _ in range(3)]
        assert again[0] == init_segment("a", run=2)
        assert pts(again) == [9, 10]
        await stream.aclose()
    finally:
        await async_hub.close()
        hub.close()
        server.stop()


async def test_readers_end_when_they_are_told_to(hub_server: EmbeddedHub) -> None:
    """Before Python 3.12 a single cancellation is lost now and then; of sixty readers some would read on for ever."""
    clients = [AsyncHub(hub_server.url) for _ in range(60)]

    async def ask(client: AsyncHub) -> None:
        while True:
            await client.ping()

    tasks = [asyncio.create_task(ask(client)) for client in clients]
    await asyncio.sleep(0.3)
    async with asyncio.timeout(60):
        await end(*tasks)
    assert all(task.cancelled() for task in tasks)
    for client in clients:
        await client.close()
