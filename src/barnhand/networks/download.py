"""Fetching a network's file: resumes where it broke off, checks the hash, works behind a proxy.

The bytes go to ``NAME.part`` beside the target. A further try asks for the rest (RFC 9110, Range) and starts over when the
server does not know how. Only a file with the right hash gets the target's name.
"""

import shutil
import ssl
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from barnhand.core.errors import ModelError
from barnhand.core.time import Clock, SystemClock
from barnhand.networks.catalogue import Entry
from barnhand.networks.digest import sha256_of
from barnhand.networks.shelf import Card, Shelf

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are here and the bytes there are, ``None`` while unknown."""


@dataclass(frozen=True)
class DownloadOptions:
    """How files are fetched."""

    proxy: str | None = None
    """Address of a proxy (``http://``, ``https://`` or ``socks5://``); ``None`` takes HTTPS_PROXY and its like."""
    tries: int = 5
    """Connections made before giving up, counted anew after each that brought bytes."""
    pause: float = 1.0
    """Seconds before the second try, doubled for each further one."""
    timeout: float = 30.0
    """Seconds without a byte after which a connection counts as broken."""


def open_client(options: DownloadOptions, verify: "ssl.SSLContext | bool" = True) -> httpx.Client:
    """A client that follows redirects and goes through the proxy. Raises ``ModelError`` for a proxy address it cannot use."""
    try:
        return httpx.Client(proxy=options.proxy, timeout=options.timeout, follow_redirects=True, verify=verify)
    except (ValueError, httpx.InvalidURL) as error:
        raise ModelError(f"the proxy address cannot be used ({error}); write it as http://host:port") from error


def pull(
    entry: Entry,
    shelf: Shelf,
    client: httpx.Client,
    options: DownloadOptions | None = None,
    *,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> Card:
    """Fetch a network of the catalogue into the shelf's folder; what is there and right is not fetched again.

    Raises ``ModelError`` when it is embedded or not published as ONNX, when the network is out of reach or when the file
    is not the one the catalogue means.
    """
    if entry.embedded:
        raise ModelError(f"{entry.name} comes with BarnHand and need not be pulled")
    if entry.url is None or entry.sha256 is None:
        raise ModelError(f"{entry.name} cannot be pulled: {entry.howto or 'it has no address'} ({entry.page})")
    if shelf.folder is None:
        raise ModelError("there is no folder to keep networks in; set BARNHAND_DATA")
    shelf.folder.mkdir(parents=True, exist_ok=True)
    target = shelf.folder / f"{entry.name}.onnx"
    if not target.is_file() or sha256_of(target) != entry.sha256:
        fetched = shelf.folder / f"{entry.name}.download"
        size = entry.download_size if entry.member else entry.size
        download(
            entry.url,
            fetched,
            entry.download_sha256 or entry.sha256,
            client,
            options,
            size=size,
            progress=progress,
            clock=clock,
        )
        if entry.member:
            unpack(fetched, entry.member, target, entry.sha256)
            fetched.unlink()
        else:
            fetched.replace(target)
    return shelf.add(target, entry.name, licence=entry.licence, source=entry.url)


def download(
    url: str,
    target: Path,
    sha256: str,
    client: httpx.Client,
    options: DownloadOptions | None = None,
    *,
    size: int | None = None,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> None:
    """Fetch ``url`` to ``target``. Raises ``ModelError``; what came so far stays in ``target.part`` for the next call."""
    options = options or DownloadOptions()
    clock = clock or SystemClock()
    part = target.with_name(target.name + ".part")
    failures = 0
    while True:
        before = _length(part)
        try:
            total = _fetch_rest(url, part, client, size, progress)
        except httpx.ProxyError as error:
            if "407" in str(error):
                raise ModelError(_refusal(url, 407)) from error
            reason = f"the proxy says: {error}"
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
        else:
            if total is None or _length(part) >= total:
                break
            reason = "the connection ended early"
        failures = 1 if _length(part) > before else failures + 1
        if failures >= options.tries:
            raise ModelError(
                f"{url} broke off at {_length(part)} of {size or 'unknown'} bytes ({reason}); "
                "run the same command again and it goes on from there"
            )
        clock.sleep(options.pause * 2 ** (failures - 1))
    found = sha256_of(part)
    if found != sha256:
        part.unlink()
        raise ModelError(
            f"{url} is not the file the catalogue means: its SHA-256 is {found}, expected {sha256}; it was thrown away. "
            "Try again; if it stays so, the file was changed where it is published"
        )
    part.replace(target)


def unpack(archive: Path, member: str, target: Path, sha256: str) -> None:
    """Take the one file whose path ends in ``member`` out of a zip archive. Raises ``ModelError``."""
    part = target.with_name(target.name + ".part")
    try:
        with zipfile.ZipFile(archive) as packed:
            names = [name for name in packed.namelist() if name == member or name.endswith(f"/{member}")]
            if len(names) != 1:
                raise ModelError(f"{archive.name} holds {len(names)} files named {member}, not one")
            with packed.open(names[0]) as source, part.open("wb") as out:
                shutil.copyfileobj(source, out)
    except (zipfile.BadZipFile, OSError) as error:
        raise ModelError(f"{archive.name} cannot be unpacked ({error}); pull it again") from error
    found = sha256_of(part)
    if found != sha256:
        part.unlink()
        raise ModelError(f"{member} in {archive.name} has SHA-256 {found}, expected {sha256}; it was thrown away")
    part.replace(target)


def _fetch_rest(url: str, part: Path, client: httpx.Client, size: int | None, progress: Progress | None) -> int | None:
    """Append what is missing; the whole length as the server tells it."""
    here = _length(part)
    if size is not None and here == size:
        return size
    if size is not None and here > size:
        part.unlink()
        here = 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={here}-"} if here else {})
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
            raise httpx.ReadError("the server has no more of it; starting over")
        if response.status_code in {401, 403, 404, 407, 410, 451}:
            raise ModelError(_refusal(url, response.status_code))
        response.raise_for_status()
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
        if resumed and not _starts_at(response, here):
            part.unlink(missing_ok=True)
            raise httpx.ReadError("the server sent another part than asked for; starting over")
        if not resumed:
            here = 0
        length = response.headers.get("Content-Length", "")
        total = here + int(length) if length.isdigit() else size
        with part.open("ab" if resumed else "wb") as file:
            for block in response.iter_bytes():
                file.write(block)
                here += len(block)
                if progress:
                    progress(here, total)
    return total


def _refusal(url: str, status: int) -> str:
    if status == 407:
        return "the proxy wants a password; give it as --proxy http://user:password@host:port"
    if status in {404, 410}:
        return f"{url} is not there any more ({status}); get the file elsewhere and use `barnhand models add FILE`"
    return f"{url} may not be fetched from here ({status}); get the file elsewhere and use `barnhand models add FILE`"


def _starts_at(response: httpx.Response, here: int) -> bool:
    """Whether a 206 holds the bytes from ``here`` on (RFC 9110, Content-Range)."""
    stated: str = response.headers.get("Content-Range", "")
    return stated.removeprefix("bytes ").startswith(f"{here}-")


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
