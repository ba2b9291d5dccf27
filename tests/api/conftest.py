from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.api.service import Service, serving
from tests.servers import KINDS, HubServer
from tests.store_rows import NOON_US

from barnhand.api.app import create_app
from barnhand.api.services import ApiOptions, ApiServices
from barnhand.core.time import FakeClock
from barnhand.hub.hub import Hub
from barnhand.store.database import connect
from barnhand.store.secrets import SecretBox
from barnhand.store.spool import Spool
from barnhand.store.store import Store
from barnhand.store.writer import Writer


@pytest.fixture(params=KINDS)
def server_kind(request: pytest.FixtureRequest) -> str:
    """Every test here runs on both."""
    return str(request.param)


@pytest.fixture
def hub(hub_server: HubServer) -> Iterator[Hub]:
    made = Hub(hub_server.url)
    yield made
    made.close()


@pytest.fixture
def options() -> ApiOptions:
    return ApiOptions(viewer_backlog=20, login_tries=3, password_memory_kib=64, password_passes=1)


@pytest.fixture
def service(database_url: str, hub_server: HubServer, hub: Hub, tmp_path: Path, options: ApiOptions) -> Iterator[Service]:
    clock = FakeClock(NOON_US)
    engine = connect(database_url)
    secrets = SecretBox.open(tmp_path / "secrets")
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    page = tmp_path / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>BarnHand</title>")
    (page / "assets" / "index-1a2b.js").write_text("export {}")
    chosen = ApiOptions(**{**options.__dict__, "static_folder": page})
    services = ApiServices(
        Store(engine, secrets, clock), hub_server.url, recordings, secrets, tmp_path / "converted", chosen, clock
    )
    app = create_app(services)
    spool = Spool(tmp_path / "spool", clock=clock)
    with serving(app) as address:
        yield Service(address, app, services, hub, clock, spool, Writer(tmp_path / "spool", engine, clock))
    spool.close()
    engine.dispose()
