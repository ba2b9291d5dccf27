"""Cameras on the network: RTSP over TCP or UDP, RTMP pull, HLS and plain HTTP."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import av

from barnhand.core.errors import MediaError, SourceError
from barnhand.core.media import AudioFormat, Packet, VideoFormat
from barnhand.core.stream import Cause, Stream
from barnhand.core.time import PTS_HZ, Clock
from barnhand.sources.causes import interruption, refusal, safe_url, stalled
from barnhand.sources.demux import Demuxer
from barnhand.sources.options import SourceOptions

_SCHEMES = {"rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "tcp", "udp", "srt"}
_PROTOCOLS = "rtsp,rtsps,rtp,rtcp,rtmp,rtmps,rtmpt,http,https,httpproxy,hls,tcp,udp,tls,crypto,data,srt"


class NetworkSource:
    """A camera read over the network. Opening raises ``SourceError``; a camera that says nothing ends within ``open_s``.

    A web address that holds a finished video is read at the pace of the video. ``shown`` is what the address is called in
    messages, ``extra`` more of FFmpeg's options.
    """

    def __init__(
        self,
        stream: Stream,
        options: SourceOptions,
        clock: Clock,
        *,
        shown: str | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self._shown = shown or safe_url(stream.source_url)
        self._extra = dict(extra or {})
        self._options = options
        self._clock = clock
        scheme = urlsplit(stream.source_url).scheme.lower()
        if scheme not in _SCHEMES:
            raise SourceError(
                f"{self._shown} is no network address; it begins with rtsp://, http:// or rtmp://", Cause.NOT_VIDEO
            )
        self._container = self._open(stream, scheme)
        self._ahead: list[Packet] = []
        self._finished = scheme in {"http", "https"} and (self._container.duration or 0) > 0
        try:
            self._demuxer = Demuxer(self._container, self._shown, options, clock)
            self._packets = self._watch()
            self._wait_for_format()
        except MediaError as error:
            self._container.close()
            raise SourceError(f"{self._shown} sends damaged video: {error}", Cause.DAMAGED) from None
        except BaseException:
            self._container.close()
            raise

    @property
    def video(self) -> VideoFormat:
        """The format of the packets from the latest on."""
        if self._demuxer.video is None:
            raise SourceError(f"{self._shown} sends no parameter sets", Cause.DAMAGED)
        return self._demuxer.video

    @property
    def audio(self) -> AudioFormat | None:
        """The format of the sound."""
        return self._demuxer.audio

    def packets(self) -> Iterator[Packet]:
        """Packets until the camera ends, breaks or stalls, which is a ``SourceError``."""
        packets = chain(self._ahead, self._packets)
        yield from self._paced(packets) if self._finished else packets

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._container.close()

    def _paced(self, packets: Iterable[Packet]) -> Iterator[Packet]:
        """Hand packets on when they are due, as if they had come then: a video would else be over in the time of a download."""
        begun, first = self._clock.monotonic(), None
        for packet in packets:
            first = packet.dts if first is None else first
            wait = begun + (packet.dts - first) / PTS_HZ - self._clock.monotonic()
            if wait > 0:
                self._clock.sleep(wait)
            yield replace(packet, arrived_us=self._clock.wall_us())

    def _open(self, stream: Stream, scheme: str) -> Any:
        options = self._extra | {
            "probesize": str(self._options.probe_bytes),
            "analyzeduration": str(self._options.probe_us),
            "fpsprobesize": "0",
            "protocol_whitelist": _PROTOCOLS,  # a playlist must not make the recorder read its own machine's files
        }
        if scheme.startswith("rtsp"):
            # The session description names the codecs and the first key frame brings the rest: nothing to probe for.
            transport = str(stream.config.get("transport", "tcp"))
            options |= {"rtsp_transport": transport, "probesize": "32", "analyzeduration": "0"}
        begun = self._clock.monotonic()
        try:
            return av.open(
                with_secret(stream.source_url, stream.secret),
                options=options,
                timeout=(self._options.open_s, self._options.stall_s),
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise refusal(error, self._shown, self._options.open_s, self._clock.monotonic() - begun) from None

    def _watch(self) -> Iterator[Packet]:
        stall_s, last = self._options.stall_s, self._clock.monotonic()
        try:
            for packet in self._demuxer.packets():
                now = self._clock.monotonic()
                if packet.video:
                    last = now
                elif now - last > stall_s:
                    raise stalled(self._shown, stall_s)
                yield packet
        except (av.error.FFmpegError, OSError) as error:
            raise interruption(error, self._shown, stall_s) from None
        raise SourceError(f"{self._shown} ended; it is connected anew", Cause.ENDED)

    def _wait_for_format(self) -> None:
        """Some cameras tell their format only in the first key frame."""
        until = self._clock.monotonic() + self._options.open_s
        while self._demuxer.video is None:
            self._ahead = [next(self._packets)]
            if self._clock.monotonic() > until and self._demuxer.video is None:
                message = f"{self._shown} sent no key frame within {self._options.open_s:g} s; set a shorter key frame interval"
                raise SourceError(message, Cause.TIMED_OUT)


def with_secret(url: str, secret: str | None) -> str:
    """The address with ``user:password`` put in, percent-encoded; for FFmpeg only, never to be shown."""
    if not secret:
        return url
    user, _, password = secret.partition(":")
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if password else f"{quote(user, safe='')}@"
    return parts._replace(netloc=login + host).geturl()
