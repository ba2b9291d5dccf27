"""A camera's address as a person types it: checked, and parted from what must stay secret."""

import re
from dataclasses import dataclass, field
from pathlib import PurePath
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from barnhand.core.errors import ConfigurationError
from barnhand.core.stream import SourceType

SCHEMES = {
    SourceType.RTSP: ("rtsp", "rtsps"),
    SourceType.RTMP: ("rtmp", "rtmps"),
    SourceType.HLS: ("http", "https"),
    SourceType.YOUTUBE: ("http", "https"),
}
YOUTUBE_HOSTS = ("youtube.com", "youtu.be", "youtube-nocookie.com")
_SECRET_NAMES = re.compile(r"^(pass(word|wd)?|pwd|token|access_token|auth|key|api_?key|secret|sig(nature)?)$", re.I)
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True)
class Address:
    """``url`` may be shown to anybody; ``secret`` is the whole address with its credentials, or ``None`` without any."""

    url: str
    secret: str | None = field(default=None, repr=False)


def split(source_type: SourceType, url: str, username: str | None = None, password: str | None = None) -> Address:
    """Check an address and part it. ``username`` and ``password`` win over those in ``url``.

    Raises ``ConfigurationError`` with the sentence to show.
    """
    if source_type is SourceType.FILE:
        return Address(_file(url))
    if _UNPRINTABLE.search(url):
        raise ConfigurationError("the address has a space or a line break in it; remove it or write %20")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"the address cannot be read ({error}); check it for typing errors") from error
    allowed = SCHEMES[source_type]
    if parts.scheme not in allowed:
        raise ConfigurationError(
            f"the address of a camera of type {source_type} starts with {allowed[0]}://; check type and address"
        )
    if not parts.hostname:
        raise ConfigurationError(f"the address names no host; write {parts.scheme}://HOST/PATH")
    if source_type is SourceType.YOUTUBE and not _is_youtube(parts.hostname):
        raise ConfigurationError("the address is not one of YouTube; use the type hls for other web addresses")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    host = host if port is None else f"{host}:{port}"
    userinfo = _userinfo(parts, username, password)
    query, hidden = _query(parts.query)
    shown = urlunsplit((parts.scheme, host, parts.path, query, ""))
    if userinfo is None and not hidden:
        return Address(shown)
    whole = host if userinfo is None else f"{userinfo}@{host}"
    return Address(shown, urlunsplit((parts.scheme, whole, parts.path, parts.query, "")))


def _file(url: str) -> str:
    path = url.removeprefix("file://")
    if "\x00" in path or not PurePath(path).is_absolute():
        raise ConfigurationError("a file's address is its whole path on the server, such as /videos/barn.mp4")
    return path


def _is_youtube(host: str) -> bool:
    return any(host == known or host.endswith(f".{known}") for known in YOUTUBE_HOSTS)


def _userinfo(parts: SplitResult, username: str | None, password: str | None) -> str | None:
    name = parts.username if username is None else quote(username, safe="")
    word = parts.password if password is None else quote(password, safe="")
    if name is None and word is None:
        return None
    return name or "" if word is None else f"{name or ''}:{word}"


def _query(query: str) -> tuple[str, bool]:
    """The query as it may be shown, and whether something was hidden."""
    pairs = parse_qsl(query, keep_blank_values=True)
    if not any(_SECRET_NAMES.match(name) for name, _ in pairs):
        return query, False
    return urlencode([(name, "hidden" if _SECRET_NAMES.match(name) else value) for name, value in pairs]), True
