import hashlib
import io
import ipaddress
import ssl
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.networks import known
from tests.networks.servers import FileServer, Proxy, serving

from barnhand.core.errors import ModelError
from barnhand.core.time import FakeClock
from barnhand.networks.adapter import Task
from barnhand.networks.catalogue import Entry
from barnhand.networks.download import DownloadOptions, download, open_client, pull
from barnhand.networks.shelf import Shelf

CONTENT = bytes(range(256)) * 400
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with open_client(DownloadOptions(timeout=5)) as client:
        yield client


def fetch(server: FileServer, target: Path, client: httpx.Client, **more: object) -> FakeClock:
    clock = FakeClock()
    download(f"{server.url}/net.onnx", target, DIGEST, client, clock=clock, **more)  # type: ignore[arg-type]
    return clock


BROKEN = {
    "not at all": ([], True, 1),
    "once": ([1000], True, 2),
    "at once": ([0], True, 2),
    "again and again, a little further each time": ([20_000] * 5, True, 6),
    "once, and the server knows no ranges": ([1000], False, 2),
}


@pytest.mark.parametrize(("breaks", "ranges", "requests"), BROKEN.values(), ids=BROKEN.keys())
def test_a_download_that_breaks_goes_on(
    tmp_path: Path, client: httpx.Client, breaks: list[int], ranges: bool, requests: int
) -> None:
    with serving(FileServer(CONTENT, list(breaks), ranges)) as server:
        fetch(server, tmp_path / "net.onnx", client)
        assert len(server.requests) == requests
        if ranges and breaks and breaks[0]:
            assert server.requests[1]["Range"] == f"bytes={breaks[0]}-"
    assert (tmp_path / "net.onnx").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


def test_the_next_call_goes_on_where_the_last_gave_up(tmp_path: Path, client: httpx.Client) -> None:
    with serving(FileServer(CONTENT, [3000, 0, 0, 0, 0, 0, 0])) as server:
        with pytest.raises(ModelError, match=r"broke off at 3000 of 102400 bytes .*run the same command again"):
            fetch(server, tmp_path / "net.onnx", client, size=len(CONTENT))
        assert not (tmp_path / "net.onnx").exists()
        server.breaks.clear()
        before = len(server.requests)
        fetch(server, tmp_path / "net.onnx", client)
        assert server.requests[before]["Range"] == "bytes=3000-"
    assert (tmp_path / "net.onnx").read_bytes() == CONTENT


def test_it_waits_longer_after_each_failure(tmp_path: Path, client: httpx.Client) -> None:
    clock = FakeClock()
    with serving(FileServer(CONTENT, status=503)) as server, pytest.raises(ModelError, match="broke off at 0"):
        download(f"{server.url}/x", tmp_path / "x", DIGEST, client, DownloadOptions(tries=4, pause=1.0), clock=clock)
    assert clock.monotonic() == pytest.approx(1 + 2 + 4)


def test_a_wrong_hash_is_thrown_away(tmp_path: Path, client: httpx.Client) -> None:
    with (
        serving(FileServer(CONTENT[:-1] + b"!")) as server,
        pytest.raises(ModelError, match="is not the file the catalogue means"),
    ):
        fetch(server, tmp_path / "net.onnx", client)
    assert list(tmp_path.iterdir()) == []


def test_a_part_longer_than_the_file_starts_over(tmp_path: Path, client: httpx.Client) -> None:
    (tmp_path / "net.onnx.part").write_bytes(b"x" * (len(CONTENT) + 10))
    with serving(FileServer(CONTENT)) as server:
        fetch(server, tmp_path / "net.onnx", client)
    assert (tmp_path / "net.onnx").read_bytes() == CONTENT


def test_a_whole_part_is_only_checked(tmp_path: Path, client: httpx.Client) -> None:
    (tmp_path / "net.onnx.part").write_bytes(CONTENT)
    with serving(FileServer(CONTENT)) as server:
        fetch(server, tmp_path / "net.onnx", client, size=len(CONTENT))
        assert server.requests == []
    assert (tmp_path / "net.onnx").read_bytes() == CONTENT


@pytest.mark.parametrize(("status", "message"), [(404, "not there any more"), (403, "may not be fetched from here")])
def test_a_refusal_says_how_else_to_get_the_file(tmp_path: Path, client: httpx.Client, status: int, message: str) -> None:
    with serving(FileServer(CONTENT, status=status)) as server, pytest.raises(ModelError, match=message) as caught:
        fetch(server, tmp_path / "net.onnx", client)
    assert "`barnhand models add FILE`" in str(caught.value)
    assert len(server.requests) == 1


def test_nobody_there_says_so(tmp_path: Path, client: httpx.Client) -> None:
    with serving(FileServer(CONTENT)) as server:
        pass
    with pytest.raises(ModelError, match="broke off at 0 of unknown bytes"):
        fetch(server, tmp_path / "net.onnx", client)


def test_progress_counts_from_where_it_goes_on(tmp_path: Path, client: httpx.Client) -> None:
    calls: list[tuple[int, int | None]] = []
    (tmp_path / "net.onnx.part").write_bytes(CONTENT[:50_000])
    with serving(FileServer(CONTENT)) as server:
        fetch(server, tmp_path / "net.onnx", client, progress=lambda done, total: calls.append((done, total)))
    done = [call[0] for call in calls]
    assert done == sorted(done)
    assert done[0] > 50_000
    assert calls[-1] == (len(CONTENT), len(CONTENT))


# -- proxies


@pytest.mark.parametrize("password", [None, "groom:hay"])
def test_it_goes_through_a_proxy(tmp_path: Path, password: str | None) -> None:
    with serving(FileServer(CONTENT)) as server, serving(Proxy(password)) as proxy:
        address = proxy.url if password is None else proxy.url.replace("//", f"//{password}@")
        with open_client(DownloadOptions(proxy=address)) as client:
            fetch(server, tmp_path / "net.onnx", client)
        assert proxy.seen == [f"GET {server.url}/net.onnx"]
    assert (tmp_path / "net.onnx").read_bytes() == CONTENT


def test_it_finds_the_proxy_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(FileServer(CONTENT)) as server, serving(Proxy()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        with open_client(DownloadOptions()) as client:
            fetch(server, tmp_path / "net.onnx", client)
        assert len(proxy.seen) == 1


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's side of a certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stable")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "cert.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


def test_https_goes_through_the_proxy_unread(tmp_path: Path, tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    with serving(FileServer(CONTENT, [5000]), tls[0]) as server, serving(Proxy()) as proxy:
        with open_client(DownloadOptions(proxy=proxy.url), verify=tls[1]) as client:
            fetch(server, tmp_path / "net.onnx", client)
        assert {line.split()[0] for line in proxy.seen} == {"CONNECT"}
    assert (tmp_path / "net.onnx").read_bytes() == CONTENT


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path, tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    with (
        serving(FileServer(CONTENT), tls[0]) as server,
        open_client(DownloadOptions()) as client,
        pytest.raises(ModelError, match="certificate verify failed"),
    ):
        fetch(server, tmp_path / "net.onnx", client)
    assert server.requests == []


@pytest.mark.parametrize("secure", [False, True])
def test_a_proxy_that_wants_a_password_says_so(
    tmp_path: Path, tls: tuple[ssl.SSLContext, ssl.SSLContext], secure: bool
) -> None:
    with serving(FileServer(CONTENT), tls[0] if secure else None) as server, serving(Proxy("groom:hay")) as proxy:
        wrong = proxy.url.replace("//", "//groom:straw@")
        with (
            open_client(DownloadOptions(proxy=wrong), verify=tls[1]) as client,
            pytest.raises(ModelError, match="the proxy wants a password") as caught,
        ):
            fetch(server, tmp_path / "net.onnx", client)
    assert "straw" not in str(caught.value)


def test_an_address_that_is_no_proxy_says_so() -> None:
    with pytest.raises(ModelError, match="the proxy address cannot be used"):
        open_client(DownloadOptions(proxy="gopher://old"))


# -- pulling a network of the catalogue


@pytest.fixture
def entry(tmp_path: Path) -> tuple[Entry, bytes]:
    data = known.yolox(tmp_path / "source.onnx").read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return Entry("net", "yolox", Task.DETECT, "Apache-2.0", "x", "page", "64", "about", sha256=digest, size=len(data)), data


def test_a_pulled_network_can_be_used(tmp_path: Path, client: httpx.Client, entry: tuple[Entry, bytes]) -> None:
    known_as, data = entry
    shelf = Shelf(tmp_path / "models", [known_as])
    with serving(FileServer(data, [100])) as server:
        there = replace(known_as, url=f"{server.url}/net.onnx")
        card = pull(there, shelf, client, clock=FakeClock())
        assert (card.name, card.licence, card.source) == ("net", "Apache-2.0", there.url)
        assert shelf.detector("net").family == "yolox"
        count = len(server.requests)
        pull(there, shelf, client, clock=FakeClock())
        assert len(server.requests) == count, "what is here and right is not fetched again"


def test_a_network_in_an_archive_is_unpacked(tmp_path: Path, client: httpx.Client, entry: tuple[Entry, bytes]) -> None:
    known_as, data = entry
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("sdk/pipeline.json", "{}")
        archive.writestr("sdk/end2end.onnx", data)
    shelf = Shelf(tmp_path / "models", [known_as])
    with serving(FileServer(packed.getvalue())) as server:
        there = replace(
            known_as,
            url=f"{server.url}/net.zip",
            member="end2end.onnx",
            download_sha256=hashlib.sha256(packed.getvalue()).hexdigest(),
            download_size=len(packed.getvalue()),
        )
        pull(there, shelf, client, clock=FakeClock())
    assert shelf.detector("net").family == "yolox"
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == ["net.json", "net.onnx"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"embedded": True}, "comes with BarnHand"),
        ({"howto": "export it with timm"}, "cannot be pulled: export it with timm"),
    ],
)
def test_what_cannot_be_pulled_says_why(
    tmp_path: Path, client: httpx.Client, entry: tuple[Entry, bytes], change: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        pull(replace(entry[0], **change), Shelf(tmp_path, []), client)  # type: ignore[arg-type]
