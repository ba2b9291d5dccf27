"""Health, figures, the page, and what happens while something is away."""

from pathlib import Path

import pytest
from tests.api.service import Service, serving

from barnhand.api.app import create_app
from barnhand.api.services import ApiServices
from barnhand.store.database import connect
from barnhand.store.records import Role
from barnhand.store.store import Store

NOBODY = "postgresql://127.0.0.1:1/none"


def test_healthy_and_ready(service: Service) -> None:
    with service.client() as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").json() == {"ready": True, "database": "ok", "hub": "ok", "recordings": "ok"}


def test_not_ready_says_what_is_away_and_still_answers(service: Service, tmp_path: Path) -> None:
    store = Store(connect(NOBODY), service.services.secrets, service.clock)
    services = ApiServices(
        store, "redis://127.0.0.1:1", tmp_path / "none", service.services.secrets, tmp_path, clock=service.clock
    )
    with serving(create_app(services)) as address:
        import httpx

        with httpx.Client(base_url=f"http://{address}") as client:
            assert client.get("/healthz").status_code == 200
            answer = client.get("/readyz")
            assert answer.status_code == 503
            told = answer.json()
            assert "database does not answer" in told["database"]
            assert "hub does not answer" in told["hub"]
            assert "folder is not there" in told["recordings"]
            refused = client.post("/v1/session", json={"email": "a@b", "password": "correct horse"})
            assert refused.status_code == 503
            assert refused.headers["retry-after"] == "2"
            assert "barnhand_database_up 0.0" in client.get("/metrics").text


def test_who_was_signed_in_stays_so_while_the_database_is_away(service: Service) -> None:
    client = service.signed_in(Role.VIEWER)
    assert client.get("/v1/session").status_code == 200
    good = service.store.database.engine
    service.store.database.engine = connect(NOBODY)
    service.clock.advance(60)
    assert client.get("/v1/session").status_code == 200
    assert client.get("/v1/streams").status_code == 503
    service.store.database.engine = good
    assert client.get("/v1/streams").status_code == 200


def test_figures_count_answers_by_route(service: Service) -> None:
    stream = service.camera()
    with service.signed_in(Role.VIEWER) as client:
        client.get(f"/v1/streams/{stream}")
        text = client.get("/metrics").text
    assert 'barnhand_http_requests_total{method="GET",route="/v1/streams/{stream_id}",status="200"} 1.0' in text
    assert 'barnhand_streams{status="inactive"} 1.0' in text
    assert "barnhand_database_up 1.0" in text
    assert stream not in text


@pytest.mark.parametrize("path", ["/", "/welcome?token=abc", "/streams/1", "/index.html"])
def test_the_page_finds_its_own_way(service: Service, path: str) -> None:
    answer = service.client().get(path)
    assert answer.status_code == 200
    assert "<title>BarnHand</title>" in answer.text
    assert answer.headers["cache-control"] == "no-cache"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "media-src 'self' blob:" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_built_files_are_kept_by_the_browser_for_good(service: Service) -> None:
    answer = service.client().get("/assets/index-1a2b.js")
    assert "immutable" in answer.headers["cache-control"]
    assert service.client().get("/assets/gone.js").status_code == 404


@pytest.mark.parametrize("path", ["/../secrets/master.key", "/%2e%2e/secrets/master.key", "/..%2fsecrets%2fmaster.key"])
def test_nothing_outside_the_page_is_served(service: Service, path: str) -> None:
    answer = service.client().get(path)
    assert "<title>" in answer.text or answer.status_code == 404


def test_a_body_without_end_is_refused(service: Service) -> None:
    with service.signed_in() as client:
        answer = client.post("/v1/streams", content=b"x" * (1 << 21), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["status"] == 413
