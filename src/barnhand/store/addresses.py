"""A camera's address as a person types it: checked, and parted from what must stay secret."""

import json
import re
from dataclasses import dataclass, field
from pathlib import PurePath
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

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
    """``url`` may be shown to anybody. ``login`` is ``user:password``; ``query`` is all of it where ``url`` hides some."""

    url: str
    login: str | None = field(default=None, repr=False)
    query: str | None = field(default=None, repr=False)

    @property
    def secret(self) -> str | None:
        """What must be kept encrypted, or ``None`` without any."""
        if self.login is None and self.query is None:
            return None
        return json.dumps({"login": self.login, "query": self.query})

    @classmethod
    def join(cls, url: str, secret: str | None) -> "Address":
        """What was parted, together again."""
        parts = {} if secret is None else json.loads(secret)
        return cls(url, parts.get("login"), parts.get("query"))

    @property
    def whole_url(self) -> str:
        """The address with its whole query, but without the login: for opening, never for showing."""
        return self.url if self.query is None else urlunsplit(urlsplit(self.url)._replace(query=self.query))


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
    query, hidden = _query(parts.query)
    shown = urlunsplit((parts.scheme, host, parts.path, query, ""))
    return Address(shown, _login(parts, username, password), parts.query if hidden else None)


def same_host(one: Address, other: Address) -> bool:
    """Whether two addresses lead to the same host and port by the same protocol."""
    a, b = urlsplit(one.url), urlsplit(other.url)
    return (a.scheme, a.netloc) == (b.scheme, b.netloc)


def _file(url: str) -> str:
    path = url.removeprefix("file://")
    if "\x00" in path or not PurePath(path).is_absolute():
        raise ConfigurationError("a file's address is its whole path on the server, such as /videos/barn.mp4")
    return path


def _is_youtube(host: str) -> bool:
    return any(host == known or host.endswith(f".{known}") for known in YOUTUBE_HOSTS)


def _login(parts: SplitResult, username: str | None, password: str | None) -> str | None:
    """``user:password`` as a person types them, not as an address writes them."""
    name = unquote(parts.username or "") if username is None else username
    word = unquote(parts.password or "") if password is None else password
    if ":" in name:
        raise ConfigurationError("a camera's user name has no colon in it; check it for typing errors")
    return f"{name}:{word}" if name or word else None


def _query(query: str) -> tuple[str, bool]:
    """The query as it may be shown, and whether something was hidden."""
    pairs = parse_qsl(query, keep_blank_values=True)
    if not any(_SECRET_NAMES.match(name) for name, _ in pairs):
        return query, False
    return urlencode([(name, "hidden" if _SECRET_NAMES.match(name) else value) for name, value in pairs]), True
