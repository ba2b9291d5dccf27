"""YouTube: yt-dlp finds where the pictures are, and the HTTP source reads them.

A media address is good for a few hours and for the machine that asked; so it is looked up anew for every connection, and a
connection that breaks because its address ran out mends itself.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from barnhand.core.errors import SourceError
from barnhand.core.media import AudioFormat, Packet, VideoFormat
from barnhand.core.stream import Cause, SourceType, Stream
from barnhand.core.time import SECOND_US, Clock
from barnhand.sources.network import NetworkSource
from barnhand.sources.options import SourceOptions

_LOG = logging.getLogger(__name__)

_REFUSALS: tuple[tuple[str, Cause, str], ...] = (
    ("format is not available|no video formats", Cause.UNSUPPORTED_CODEC, "has no picture of a size BarnHand reads"),
    ("sign in|private|members|age-restricted", Cause.WRONG_PASSWORD, "is for signed-in people; set BARNHAND_YOUTUBE_COOKIES"),
    ("live event will|premieres|not currently live|offline|has ended", Cause.ENDED, "is not live now; it is tried again"),
    ("unavailable|not available|removed|terminated|404|incomplete", Cause.NOT_FOUND, "is not there; check the address"),
    ("unsupported url", Cause.NOT_VIDEO, "is no video; give the address of the video or the live stream"),
    ("unable to extract|signature", Cause.UNREACHABLE, "is more than this yt-dlp understands; bring it up to date"),
    ("timed out|timeout", Cause.TIMED_OUT, "could not be looked up in time; it is tried again"),
)
"""What yt-dlp's messages say, in order of trying; what fits none is a connection that failed."""


@dataclass(frozen=True)
class Media:
    """Where a video's pictures are. ``proxy`` is what it was looked up through: the address is good for that machine only."""

    url: str = field(repr=False)
    found_us: int
    proxy: str | None = field(default=None, repr=False)
    agent: str | None = None


class YoutubeSource:
    """A YouTube video or live stream. Opening raises ``SourceError``."""

    def __init__(self, stream: Stream, options: SourceOptions, clock: Clock) -> None:
        self._shown = stream.source_url
        cache = _Cache(options.youtube.cache, stream.id)
        media = look_up(stream.source_url, options, clock, cache)
        try:
            self._source = NetworkSource(
                replace(stream, source_type=SourceType.HLS, source_url=media.url, secret=None),
                options,
                clock,
                shown=stream.source_url,
                extra=_http(media),
            )
        except SourceError as error:
            cache.forget()
            raise self._said(error) from None
        cache.keep(media)

    @property
    def video(self) -> VideoFormat:
        """The format of the packets from the latest on."""
        return self._source.video

    @property
    def audio(self) -> AudioFormat | None:
        """The format of the sound."""
        return self._source.audio

    def packets(self) -> Iterator[Packet]:
        """Packets until the video ends or its address runs out, which is a ``SourceError``."""
        try:
            yield from self._source.packets()
        except SourceError as error:
            raise self._said(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._source.__exit__(kind, error, trace)

    def _said(self, error: SourceError) -> SourceError:
        """A refused media address is one that ran out, not a wrong password."""
        if error.cause != Cause.WRONG_PASSWORD:
            return error
        return SourceError(f"the address of the pictures of {self._shown} ran out; it is looked up anew", Cause.UNREACHABLE)


def look_up(url: str, options: SourceOptions, clock: Clock, cache: "_Cache") -> Media:
    """Where the pictures of ``url`` are: asked directly, then through the proxies in turn, then as last known.

    Raises ``SourceError`` with the cause of the first failure, which is the one that says most.
    """
    youtube = options.youtube
    try:
        return _ask(url, None, options, clock)
    except SourceError as error:
        first = error
    for number in range(youtube.tries if youtube.proxies else 0):
        if number:
            clock.sleep(youtube.pause_s)
        try:
            return _ask(url, youtube.proxies[number % len(youtube.proxies)], options, clock)
        except SourceError as error:
            _LOG.info(
                "%s: proxy %d of %d did not help: %s", url, number % len(youtube.proxies) + 1, len(youtube.proxies), error
            )
    kept = cache.recent(clock.wall_us() - round(youtube.keep_s * SECOND_US))
    if kept is None:
        raise first
    _LOG.info("%s: read at the address found before (%s)", url, first)
    return kept


def _ask(url: str, proxy: str | None, options: SourceOptions, clock: Clock) -> Media:
    # It takes half a second to import and few stables need it.
    import yt_dlp

    asked: dict[str, Any] = {
        "format": options.youtube.format,
        "retries": options.youtube.retries,
        "extractor_retries": options.youtube.retries,
        "socket_timeout": options.open_s,
        "noplaylist": True,
        "quiet": True,
        "cachedir": False,
        "logger": _Silence(),
    }
    if options.youtube.cookies is not None:
        asked["cookiefile"] = str(options.youtube.cookies)
    if proxy is not None:
        asked["proxy"] = proxy
    try:
        with yt_dlp.YoutubeDL(asked) as ydl:
            info = ydl.extract_info(url, download=False)
    except (yt_dlp.utils.YoutubeDLError, OSError) as error:
        raise refusal(url, str(error)) from None
    if not info or not isinstance(info.get("url"), str):
        raise SourceError(f"{url} is a list, not a video; give the address of one video", Cause.NOT_VIDEO)
    return Media(info["url"], clock.wall_us(), proxy, (info.get("http_headers") or {}).get("User-Agent"))


def refusal(url: str, message: str) -> SourceError:
    """yt-dlp's message as a cause with a sentence. The message itself may hold a proxy's password and is not passed on."""
    for pattern, cause, sentence in _REFUSALS:
        if re.search(rf"\b({pattern})", message, re.IGNORECASE):
            return SourceError(f"{url} {sentence}", cause)
    return SourceError(
        f"{url} cannot be looked up; check the internet connection, or set BARNHAND_YOUTUBE_PROXIES", Cause.UNREACHABLE
    )


def _http(media: Media) -> dict[str, str]:
    """FFmpeg's options for reading a media address as it was found."""
    options = {}
    if media.proxy is not None:
        options["http_proxy"] = media.proxy
    if media.agent is not None:
        options["user_agent"] = media.agent
    return options


class _Cache:
    """The last media address of each stream in a file, so that it outlives a restart; none without a file."""

    def __init__(self, folder: Path | None, stream_id: str) -> None:
        self._path = None if folder is None else folder / f"youtube-{stream_id}.json"

    def recent(self, since_us: int) -> Media | None:
        """What is kept, if it was found after ``since_us``."""
        if self._path is None:
            return None
        try:
            media = Media(**json.loads(self._path.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None
        return media if media.found_us > since_us else None

    def keep(self, media: Media) -> None:
        """Remember; where that cannot be done the address is looked up next time."""
        if self._path is None:
            return
        fields: Mapping[str, Any] = {name: getattr(media, name) for name in Media.__dataclass_fields__}
        part = self._path.with_suffix(".part")
        try:
            part.touch(mode=0o600)  # a proxy's password may be in it
            part.write_text(json.dumps(fields))
            part.replace(self._path)
        except OSError as error:
            _LOG.info("the address of the pictures is not kept: %s", error)

    def forget(self) -> None:
        """It did not work."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


class _Silence:
    """yt-dlp prints what it does, addresses with passwords included; what matters of it comes as an error."""

    def debug(self, _message: str) -> None:
        """Nothing."""

    info = warning = error = debug
