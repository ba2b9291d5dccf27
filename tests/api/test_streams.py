"""Cameras through the api, as the contract's scripts use it."""

from dataclasses import asdict
from typing import Any
from uuid import uuid4

import pytest
from tests.api.service import Service, state_of
from tests.store_rows import NOON_US, chunk_of

from barnhand.core.stream import Cause, Status
from barnhand.store.records import Role

CAMERA: dict[str, Any] = {"name": "Box 1", "source_type": "rtsp", "source_url": "rtsp://admin:hunter2@10.0.0.5/1"}


def test_the_contracts_camera(service: Service) -> None:
    with service.signed_in() as client:
        answer = client.post("/v1/streams", json=CAMERA)
        assert answer.status_code == 201
        made = answer.json()
        assert {"id", "name", "source_type", "source_url", "status", "config", "created_at"} <= made.keys()
        assert made["status"] == "inactive"
        assert made["config"] == {"processing_delay": 30}
        assert made["created_at"] == "2026-11-25T12:00:00Z"
        started = client.post(f"/v1/streams/{made['id']}/start")
        assert (started.status_code, started.json()["status"]) == (200, "active")
        stopped = client.post(f"/v1/streams/{made['id']}/stop")
        assert (stopped.status_code, stopped.json()["status"]) == (200, "inactive")
        assert client.delete(f"/v1/streams/{made['id']}").status_code == 204
        assert client.get(f"/v1/streams/{made['id']}").status_code == 404
        assert client.get("/v1/streams").json() == []


def test_a_stopped_camera_tells_nothing_of_the_error_before(service: Service) -> None:
    with service.signed_in() as client:
        stream = client.post("/v1/streams", json={**CAMERA, "start": True}).json()["id"]
        service.hub.publish_state(state_of(stream, Status.ERROR, Cause.WRONG_PASSWORD, "the camera refuses the password"))
        assert client.get(f"/v1/streams/{stream}").json()["state"]["cause"] == "wrong_password"
        stopped = client.post(f"/v1/streams/{stream}/stop").json()
        assert (stopped["status"], stopped["state"]) == ("inactive", None)


def test_a_password_goes_in_and_never_comes_out(service: Service) -> None:
    with service.signed_in() as client:
        made = client.post("/v1/streams", json={**CAMERA, "start": True})
        told = made.text + client.get("/v1/streams").text + client.get(f"/v1/streams/{made.json()['id']}").text
    assert "hunter2" not in told
    assert "admin:" not in told
    assert made.json()["source_url"] == "rtsp://10.0.0.5/1"
    assert made.json()["has_credentials"] is True
    (wanted,) = service.store.streams.wanted()
    assert wanted.secret == "admin:hunter2"


@pytest.mark.parametrize(
    ("change", "secret"),
    [
        ({"name": "Gate"}, "admin:hunter2"),
        ({"source_url": "rtsp://10.0.0.5/2"}, "admin:hunter2"),
        ({"password": "new"}, "admin:new"),
        ({"username": "guest", "password": "word"}, "guest:word"),
        ({"source_url": "rtsp://other:login@10.0.0.5/1"}, "other:login"),
        ({"username": "", "password": ""}, None),
        # A password is not sent to another host than the one it was given for.
        ({"source_url": "rtsp://evil.example/1"}, None),
        ({"source_url": "http://10.0.0.5/1", "source_type": "hls"}, None),
    ],
)
def test_a_changed_camera_keeps_its_login_for_its_own_host(
    service: Service, change: dict[str, Any], secret: str | None
) -> None:
    with service.signed_in() as client:
        made = client.post("/v1/streams", json={**CAMERA, "start": True}).json()
        answer = client.patch(f"/v1/streams/{made['id']}", json=change)
        assert answer.status_code == 200, answer.text
    (wanted,) = service.store.streams.wanted()
    assert wanted.secret == secret


def test_settings_are_merged(service: Service) -> None:
    with service.signed_in() as client:
        made = client.post("/v1/streams", json={**CAMERA, "config": {"transport": "udp", "fps": 5}}).json()
        changed = client.patch(
            f"/v1/streams/{made['id']}", json={"config": {"fps": None, "night": True}, "processing_delay": 10}
        )
    assert changed.json()["config"] == {"transport": "udp", "night": True, "processing_delay": 10}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": ""}, "name: "),
        ({"name": None}, "name: "),
        ({"source_type": "dvd"}, "source_type: "),
        ({"source_url": "http://10.0.0.5/1"}, "starts with rtsp://"),
        ({"processing_delay": -1}, "processing_delay: "),
        ({"farm_id": str(uuid4())}, "no such yard"),
        ({"colour": "red"}, "colour: "),
    ],
)
def test_a_camera_that_cannot_be_is_told_in_a_sentence(service: Service, change: dict[str, Any], sentence: str) -> None:
    with service.signed_in() as client:
        answer = client.post("/v1/streams", json={**CAMERA, **change})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert sentence in problem["detail"]
    assert problem["detail"].endswith((".", "!"))
    assert problem["status"] == 422
    assert service.store.streams.all() == []


def test_the_list_says_what_each_camera_does_and_can_be_asked_for_it(service: Service) -> None:
    names = {"Box 1": Status.ACTIVE, "Box 2": Status.ERROR}
    for name, status in names.items():
        stream = service.camera(name)
        service.store.streams.update(stream, status=Status.ACTIVE)
        cause = Cause.WRONG_PASSWORD if status is Status.ERROR else Cause.NONE
        service.hub.publish_state(state_of(stream, status, cause, "the camera refuses the password"))
    service.camera("Box 3")
    with service.signed_in(Role.VIEWER) as client:
        found = {stream["name"]: stream for stream in client.get("/v1/streams").json()}
        assert {name: stream["status"] for name, stream in found.items()} == {
            "Box 1": "active",
            "Box 2": "error",
            "Box 3": "inactive",
        }
        assert found["Box 2"]["state"]["cause"] == "wrong_password"
        assert found["Box 3"]["state"] is None
        for status in ("active", "error", "inactive"):
            assert [stream["status"] for stream in client.get("/v1/streams", params={"status": status}).json()] == [status]
        farm = found["Box 1"]["farm_id"]
        assert len(client.get("/v1/streams", params={"farm_id": farm}).json()) == 3
        assert client.get("/v1/streams", params={"farm_id": str(uuid4())}).json() == []
        assert [each["id"] for each in client.get("/v1/farms").json()] == [farm]


def test_a_camera_tells_what_is_recorded_of_it(service: Service) -> None:
    stream = service.camera()
    service.spool.append("chunk", [asdict(chunk_of(stream, NOON_US + n * 10_000_000)) for n in range(3)])
    service.copy()
    with service.signed_in(Role.VIEWER) as client:
        assert client.get(f"/v1/streams/{stream}").json()["recording"] == {
            "first_us": NOON_US,
            "last_us": NOON_US + 30_000_000,
            "chunks": 3,
            "bytes": 6_000_000,
        }


def test_every_change_wakes_the_fleet(service: Service) -> None:
    events = service.hub.events()
    events.read(block_ms=1)
    with service.signed_in() as client:
        stream = client.post("/v1/streams", json=CAMERA).json()["id"]
        client.post(f"/v1/streams/{stream}/start")
        client.patch(f"/v1/streams/{stream}", json={"name": "Gate"})
        client.post(f"/v1/streams/{stream}/stop")
        client.delete(f"/v1/streams/{stream}")
    told = [payload["change"] for name, payload in events.read() if name == "streams:changed"]
    assert told == ["created", "started", "updated", "stopped", "deleted"]


WRITES = [
    ("POST", "/v1/streams", CAMERA),
    ("PATCH", "/v1/streams/{id}", {"name": "x"}),
    ("DELETE", "/v1/streams/{id}", None),
    ("POST", "/v1/streams/{id}/start", None),
    ("POST", "/v1/streams/{id}/stop", None),
]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.GROOM, Role.VET])
def test_only_an_administrator_changes_cameras(service: Service, role: Role) -> None:
    stream = service.camera()
    with service.signed_in(role) as client:
        for method, path, body in WRITES:
            answer = client.request(method, path.format(id=stream), json=body)
            assert answer.status_code == 403, path
            assert role.value in answer.json()["detail"]
        assert client.get("/v1/streams").status_code == 200


def test_nothing_is_told_to_strangers(service: Service) -> None:
    """Every route, but for the few that must be open."""
    open_routes = {"/v1/setup", "/v1/session", "/healthz", "/readyz", "/metrics"}
    document = service.client().get("/v1/openapi.json").json()
    checked = 0
    with service.client() as client:
        for path, operations in document["paths"].items():
            for method in operations:
                if path in open_routes and not (path == "/v1/session" and method != "post"):
                    continue
                filled = path.replace("{stream_id}", str(uuid4())).replace("{horse_id}", str(uuid4()))
                filled = filled.replace("{chunk_id}", "x").replace("{name}", "horse-20").replace("{track_id}", "7")
                answer = client.request(method, filled)
                assert answer.status_code == 401, (method, path, answer.status_code)
                checked += 1
    assert checked > 20


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/streams/1/2/3", "/ws/nothing"])
def test_what_is_not_there_is_a_problem_too(service: Service, path: str) -> None:
    answer = service.client().get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
