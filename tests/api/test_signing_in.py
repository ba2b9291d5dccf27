"""Who may come in, and how."""

import logging

import httpx
import pytest
from tests.api.service import PASSWORD, Service, closed_with, state_of

from barnhand.api.throttle import Throttle
from barnhand.core.time import FakeClock
from barnhand.store.records import Role

ADMIN = {"email": "Anna@Barn.test", "password": PASSWORD}


def set_up(service: Service) -> httpx.Client:
    client = service.client()
    token = service.store.setup.issue()
    assert client.post("/v1/setup", json={"token": token, **ADMIN}).status_code == 201
    return client


def test_the_first_administrator_is_made_by_a_link_that_works_once(service: Service) -> None:
    client = service.client()
    assert client.get("/v1/setup").json() == {"needed": True}
    token = service.store.setup.issue()
    answer = client.post("/v1/setup", json={"token": token, **ADMIN})
    assert answer.status_code == 201
    assert answer.json()["user"]["role"] == "admin"
    assert answer.json()["user"]["email"] == "anna@barn.test"
    assert client.get("/v1/session").status_code == 200
    assert client.get("/v1/setup").json() == {"needed": False}
    again = service.client().post("/v1/setup", json={"token": token, "email": "b@barn.test", "password": PASSWORD})
    assert again.status_code == 422
    assert "used or too old" in again.json()["detail"]
    assert service.store.setup.issue() is None


def test_a_link_is_good_for_a_day(service: Service) -> None:
    token = service.store.setup.issue()
    service.clock.advance(86_401)
    assert service.client().post("/v1/setup", json={"token": token, **ADMIN}).status_code == 422


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"password": "short"}, "at least 10 characters"),
        ({"email": "anna"}, "NAME@HOST"),
        ({"token": "guess"}, "used or too old"),
    ],
)
def test_what_makes_no_administrator(service: Service, change: dict[str, str], sentence: str) -> None:
    body = {"token": service.store.setup.issue(), **ADMIN, **change}
    answer = service.client().post("/v1/setup", json=body)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
    assert service.store.users.count() == 0


def test_a_person_signs_in_and_out(service: Service) -> None:
    set_up(service)
    client = service.client()
    answer = client.post("/v1/session", json={**ADMIN, "email": "ANNA@barn.test"})
    assert answer.status_code == 200
    assert answer.json()["token"] is None
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    kept = dict(client.cookies)
    assert client.get("/v1/session").json()["user"]["email"] == "anna@barn.test"
    assert client.delete("/v1/session").status_code == 204
    assert client.get("/v1/session").status_code == 401
    # The cookie is worthless for whoever kept a copy.
    assert (
        service.client().get("/v1/session", headers={"Cookie": f"barnhand_session={kept['barnhand_session']}"}).status_code
        == 401
    )


def test_a_script_gets_a_token_and_no_cookie(service: Service) -> None:
    set_up(service)
    answer = service.client().post("/v1/session", json={**ADMIN, "bearer": True})
    assert "set-cookie" not in answer.headers
    assert service.client(answer.json()["token"]).get("/v1/streams").status_code == 200


def test_a_session_ends(service: Service) -> None:
    client = set_up(service)
    service.clock.advance(14 * 86_400 + 1)
    # httpx drops the cookie by the real clock; the server must not rely on that.
    answer = client.get("/v1/session")
    assert answer.status_code == 401
    assert "ended" in answer.json()["detail"]


def test_a_role_that_changed_counts_within_seconds(service: Service) -> None:
    token = service.token(Role.ADMIN)
    client = service.client(token)
    assert client.get("/v1/session").json()["user"]["role"] == "admin"
    user_id = client.get("/v1/session").json()["user"]["id"]
    service.store.users.set_role(user_id, Role.VIEWER)
    service.clock.advance(11)
    assert client.get("/v1/session").json()["user"]["role"] == "viewer"
    service.store.users.delete(user_id)
    service.clock.advance(11)
    assert client.get("/v1/session").status_code == 401


@pytest.mark.parametrize("token", ["x", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIiwianRpIjoiMSIsImV4cCI6OTk5OTk5OTk5OX0."])
def test_a_token_that_is_not_ours_is_refused(service: Service, token: str) -> None:
    answer = service.client().get("/v1/streams", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_wrong_passwords_make_one_wait(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    set_up(service)
    client = service.client()
    caplog.set_level(logging.DEBUG)
    wrong = {**ADMIN, "password": "not the password"}
    assert [client.post("/v1/session", json=wrong).status_code for _ in range(3)] == [401, 401, 401]
    waiting = client.post("/v1/session", json=ADMIN)
    assert waiting.status_code == 429
    assert int(waiting.headers["retry-after"]) == 31
    # Somebody else is not held up.
    assert client.post("/v1/session", json={**wrong, "email": "other@barn.test"}).status_code == 401
    service.clock.advance(31)
    assert client.post("/v1/session", json=ADMIN).status_code == 200
    assert "not the password" not in caplog.text


def test_nobody_learns_who_has_an_account(service: Service) -> None:
    set_up(service)
    answers = [
        service.client().post("/v1/session", json={"email": email, "password": "wrong password"}).json()
        for email in ("anna@barn.test", "nobody@barn.test")
    ]
    assert answers[0] == answers[1]


def test_waits_double_to_an_hour_at_most() -> None:
    clock = FakeClock()
    throttle = Throttle(tries=2, wait_s=30, clock=clock)
    waits = []
    for _ in range(12):
        throttle.failed("a")
        waits.append(throttle.wait("a"))
    assert waits[:5] == [0, 30, 60, 120, 240]
    assert waits[-1] == 3600
    throttle.succeeded("a")
    assert throttle.wait("a") == 0


def test_a_page_from_elsewhere_cannot_use_the_cookie(service: Service) -> None:
    client = set_up(service)
    body = {"name": "x", "source_type": "rtsp", "source_url": "rtsp://camera/1"}
    assert client.post("/v1/streams", json=body, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post("/v1/streams", json=body, headers={"Origin": f"http://{service.address}"}).status_code == 201


def test_a_ticket_opens_one_socket_once(service: Service) -> None:
    stream = service.camera()
    with service.signed_in(Role.VIEWER) as client:
        answer = client.post("/v1/tickets")
        assert answer.status_code == 201
        late = client.post("/v1/tickets").json()["ticket"]
    path = f"/v1/ws/streams/{stream}?ticket={answer.json()['ticket']}"
    service.hub.publish_state(state_of(stream))
    with service.socket(path) as socket:
        assert "state" in socket.recv(timeout=5)
    with service.socket(path) as socket:
        assert closed_with(socket) == 4401
    service.clock.advance(31)
    with service.socket(f"/v1/ws/streams/{stream}?ticket={late}") as socket:
        assert closed_with(socket) == 4401
