"""A server named by a setting that cannot be used: one sentence, exit code 2, nothing left running and no secret told."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from benchmarks.yard import free_port
from tests.servers import ESCAPED, PASSWORD, DebianPostgres, HubServer, execute

from barnhand.core.errors import BarnHandError, ConfigurationError, HubError, StoreError
from barnhand.hub import given as hub
from barnhand.store import given as store

SECRET = "clover-and-vetch"
pytestmark = pytest.mark.servers


def told_by(check: object, url: str, kind: type[BarnHandError]) -> str:
    with pytest.raises(kind) as raised:
        check(url)  # type: ignore[operator]
    told = str(raised.value)
    assert "\n" not in told
    for part in (SECRET, PASSWORD, ESCAPED, "vetch"):
        assert part not in told, f"{told} tells a part of the password"
    return told


DATABASES: list[tuple[str, type[BarnHandError], str, str]] = [
    (
        "nobody there",
        StoreError,
        "postgresql://barnhand:{secret}@127.0.0.1:{free}/postgres",
        "no PostgreSQL answers at 127.0.0.1",
    ),
    ("wrong password", ConfigurationError, "postgresql://barnhand:{secret}@{host}/postgres", "password authentication failed"),
    ("no password", ConfigurationError, "postgresql://barnhand@{host}/postgres", "no password supplied"),
    ("unknown database", ConfigurationError, "postgresql://barnhand:{right}@{host}/tack_room", '"tack_room" does not exist'),
    ("no port", ConfigurationError, "postgresql://barnhand:{secret}@127.0.0.1:door/x", "cannot be read"),
    ("no address", ConfigurationError, "{secret}", "cannot be read"),
    ("another kind", ConfigurationError, "mysql://barnhand:{secret}@{host}/x", "starts with postgresql://"),
    ("an @ in the password", ConfigurationError, "postgresql://barnhand:hay@{secret}@{host}/x", "write %40"),
    ("no right to make tables", ConfigurationError, "postgresql://barnhand:{right}@{host}/postgres", "owner to barnhand"),
]


@pytest.mark.parametrize(("kind", "url", "said"), [case[1:] for case in DATABASES], ids=[case[0] for case in DATABASES])
def test_a_database_that_cannot_be_used(
    debian_postgres: DebianPostgres, kind: type[BarnHandError], url: str, said: str
) -> None:
    address = url.format(secret=SECRET, right=ESCAPED, host=f"127.0.0.1:{debian_postgres.port}", free=free_port())
    assert said in told_by(store.check, address, kind)


def test_a_database_that_is_too_old(debian_database: str) -> None:
    store.check(debian_database)
    with pytest.raises(ConfigurationError, match=r"is version \d+; BarnHand needs 99 or newer"):
        store.check(debian_database, oldest=99)


HUBS: list[tuple[str, type[BarnHandError], str, str]] = [
    ("nobody there", HubError, "redis://:{secret}@127.0.0.1:{free}", "no Redis answers at 127.0.0.1"),
    ("wrong password", ConfigurationError, "redis://:{secret}@{host}", "refuses (invalid username-password pair"),
    ("no password", ConfigurationError, "redis://{host}", "refuses (Authentication required"),
    ("unknown number", ConfigurationError, "redis://:{right}@{host}/9999", "refuses (DB index is out of range"),
    ("no port", ConfigurationError, "redis://:{secret}@127.0.0.1:door", "cannot be read"),
    ("a / in the password", ConfigurationError, "redis://:hay/{secret}@{host}", "cannot be read"),
    ("another kind", ConfigurationError, "amqp://:{secret}@{host}", "cannot be read"),
]


@pytest.mark.parametrize(("kind", "url", "said"), [case[1:] for case in HUBS], ids=[case[0] for case in HUBS])
def test_a_hub_that_cannot_be_used(debian_hub: HubServer, kind: type[BarnHandError], url: str, said: str) -> None:
    host = debian_hub.url.rpartition("@")[2]
    assert said in told_by(hub.check, url.format(secret=SECRET, right=ESCAPED, host=host, free=free_port()), kind)


def test_a_hub_that_is_too_old(debian_hub: HubServer) -> None:
    hub.check(debian_hub.url)
    with pytest.raises(ConfigurationError, match=r"is version \d+\.\d+; BarnHand needs 99\.1 or newer"):
        hub.check(debian_hub.url, oldest=(99, 1))


@pytest.fixture
def empty_database(debian_postgres: DebianPostgres) -> Iterator[str]:
    name = f"barnhand_test_{uuid4().hex[:12]}"
    execute(debian_postgres.url, f"create database {name}")
    yield debian_postgres.url.replace("/postgres", f"/{name}")
    execute(debian_postgres.url, f"drop database {name} with (force)")


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("database", "redis", "said"),
    [
        ("postgresql://barnhand:{secret}@{host}/postgres", None, "BARNHAND_DATABASE_URL cannot be used"),
        ("postgresql://barnhand:{secret}@127.0.0.1:{free}/postgres", None, "BARNHAND_DATABASE_URL: no PostgreSQL answers"),
        (None, "redis://:{secret}@127.0.0.1:{free}", "BARNHAND_REDIS_URL: no Redis answers"),
    ],
    ids=["wrong password", "no database", "no hub"],
)
def test_up_says_it_in_one_line_and_ends(
    debian_postgres: DebianPostgres, empty_database: str, tmp_path: Path, database: str | None, redis: str | None, said: str
) -> None:
    words = {"secret": SECRET, "host": f"127.0.0.1:{debian_postgres.port}", "free": free_port()}
    environment = {key: value for key, value in os.environ.items() if not key.startswith("BARNHAND_")}
    environment["BARNHAND_DATA"] = str(tmp_path / "data")
    # The other one is fine, so that no embedded server need be started to get there.
    environment["BARNHAND_DATABASE_URL"] = empty_database if database is None else database.format(**words)
    if redis is not None:
        environment["BARNHAND_REDIS_URL"] = redis.format(**words)
    done = subprocess.run(
        [sys.executable, "-m", "barnhand", "up"], env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"barnhand: {said}")
    assert SECRET not in line
    logs = "".join(path.read_text() for path in (tmp_path / "data").rglob("*.log"))
    assert SECRET not in logs
