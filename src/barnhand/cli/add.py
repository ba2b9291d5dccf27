"""``barnhand add NAME URL``: one more camera."""

from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.markup import escape

from barnhand.cli.console import out
from barnhand.core.errors import ConfigurationError
from barnhand.core.stream import SourceType, Status

SCHEMES = {
    "rtsp": SourceType.RTSP,
    "rtsps": SourceType.RTSP,
    "rtmp": SourceType.RTMP,
    "rtmps": SourceType.RTMP,
    "http": SourceType.HLS,
    "https": SourceType.HLS,
    "file": SourceType.FILE,
    "": SourceType.FILE,
}
YOUTUBE = ("youtube.com", "youtu.be")


def kind_of(url: str) -> SourceType:
    """What an address is, by its beginning. Raises ``ConfigurationError`` for one BarnHand cannot read."""
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"} and (parts.hostname or "").endswith(YOUTUBE):
        return SourceType.YOUTUBE
    if parts.scheme not in SCHEMES:
        raise ConfigurationError(
            f"an address that begins with {parts.scheme}:// is not known; "
            "use rtsp://, rtmp://, http(s):// or the path of a video file"
        )
    return SCHEMES[parts.scheme]


def add(
    name: Annotated[str, typer.Argument(help="What the camera is called, e.g. 'Box 3'.")],
    url: Annotated[str, typer.Argument(help="Its address: rtsp://…, rtmp://…, http(s)://… or the path of a video file.")],
    user: Annotated[str | None, typer.Option(help="The camera's user name; its password is asked for.")] = None,
    stopped: Annotated[bool, typer.Option("--stopped", help="Add it without starting it.")] = False,
) -> None:
    """Add a camera. Its password is kept encrypted; a running BarnHand starts recording at once."""
    from pathlib import Path

    from barnhand.app.folder import DataFolder
    from barnhand.app.local import local_store, tell_fleet
    from barnhand.settings.settings import read_settings
    from barnhand.store.addresses import split

    kind = kind_of(url)
    if kind is SourceType.FILE:
        path = Path(url.removeprefix("file://")).expanduser().resolve()
        if not path.is_file():
            raise ConfigurationError(f"there is no file {path}; check the path")
        url = str(path)
    password = typer.prompt(f"Password of {user}", hide_input=True) if user else None
    address = split(kind, url, user, password)
    settings = read_settings()
    with local_store(settings) as store:
        config = {"loop": True, "pace": True} if kind is SourceType.FILE else {}
        record = store.streams.create(
            name=name, source_type=kind, address=address, config=config, status=Status.INACTIVE if stopped else Status.ACTIVE
        )
    tell_fleet(settings)
    out().print(f"{escape(name)} is added as {record.id} ({escape(address.url)}).")
    if not DataFolder(settings.data).lock.held():
        out().print(f"BarnHand does not run on {escape(str(settings.data))}; barnhand up starts it.")
