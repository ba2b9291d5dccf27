"""A small RTSP server (RFC 2326) that serves files as live cameras, looping, over TCP interleaved and UDP.

It is what ``barnhand demo`` shows and what the tests record. All viewers of a camera see the same moment, because one
task a camera sends every packet to all of them; timestamps go on without a seam over the loops.
"""

import asyncio
import base64
import contextlib
import hashlib
import logging
import re
import secrets
import socket
import struct
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from barnhand.core.time import PTS_HZ, Clock, SystemClock
from barnhand.sources.clip import VIDEO_TYPE, Clip, Unit, load_clip

_LOG = logging.getLogger(__name__)
_BACKLOG = 8 << 20  # bytes a viewer may be behind before it is sent away
_REPORT_S = 5.0  # seconds between RTCP sender reports
_NTP_EPOCH = 2_208_988_800
_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER, SET_PARAMETER"


@dataclass(eq=False)
class _Track:
    """RTP counters of one track of one camera."""

    video: bool
    rate: int
    kind: int
    ssrc: int = field(default_factory=lambda: secrets.randbits(32))
    sequence: int = field(default_factory=lambda: secrets.randbits(16))
    zero: int = field(default_factory=lambda: secrets.randbits(31))
    packets: int = 0
    octets: int = 0

    def packets_of(self, unit: Unit, base: int) -> list[bytes]:
        """The RTP packets of an access unit; the last carries the marker."""
        stamp = self.zero + base + unit.stamp & 0xFFFFFFFF
        last = len(unit.payloads) - 1
        packets = []
        for index, payload in enumerate(unit.payloads):
            head = struct.pack(">BBHII", 0x80, self.kind | (0x80 if index == last else 0), self.sequence, stamp, self.ssrc)
            packets.append(head + payload)
            self.sequence = self.sequence + 1 & 0xFFFF
            self.octets += len(payload)
        self.packets += len(packets)
        return packets

    def report(self, wall_us: int, elapsed: float) -> bytes:
        """An RTCP sender report: this RTP time is that wall time (RFC 3550 6.4.1)."""
        seconds, micros = divmod(wall_us, 1_000_000)
        stamp = self.zero + round(elapsed * self.rate) & 0xFFFFFFFF
        fraction = (micros << 32) // 1_000_000
        counts = (self.packets & 0xFFFFFFFF, self.octets & 0xFFFFFFFF)
        return struct.pack(">BBHIIIIII", 0x80, 200, 6, self.ssrc, seconds + _NTP_EPOCH & 0xFFFFFFFF, fraction, stamp, *counts)


@dataclass(eq=False)
class _Viewer:
    """One client of one camera: where each of its tracks goes."""

    writer: asyncio.StreamWriter
    channels: dict[bool, int] = field(default_factory=dict)
    sockets: dict[bool, tuple[socket.socket, socket.socket, str, int]] = field(default_factory=dict)
    playing: bool = False

    def send(self, video: bool, packets: list[bytes], *, control: bool = False) -> None:
        channel = self.channels.get(video)
        if channel is not None:
            transport = self.writer.transport
            if transport.is_closing():
                return
            if transport.get_write_buffer_size() > _BACKLOG:
                _LOG.warning("a viewer of a served camera does not keep up and is sent away")
                transport.abort()
                return
            number = channel + control
            transport.write(b"".join(part for p in packets for part in (struct.pack(">BBH", 36, number, len(p)), p)))
        elif video in self.sockets:
            rtp, rtcp, host, port = self.sockets[video]
            with contextlib.suppress(OSError):
                for packet in packets:
                    (rtcp if control else rtp).sendto(packet, (host, port + control))

    def close(self) -> None:
        for rtp, rtcp, *_ in self.sockets.values():
            rtp.close()
            rtcp.close()
        self.writer.close()


class _Camera:
    """A clip that runs whether anybody looks or not."""

    def __init__(self, clip: Clip, clock: Clock) -> None:
        self.clip = clip
        self.viewers: set[_Viewer] = set()
        self.frozen = False
        self._clock = clock
        self._following: Clip | None = None
        self._begun = clock.monotonic()
        self.restart_timestamps()
        self._elapsed = 0.0  # seconds of media since the timestamps began, at the start of this pass

    def restart_timestamps(self) -> None:
        """What a camera does when it reboots its encoder: new counters, at once."""
        self._elapsed = 0.0
        sound = _Track(False, self.clip.audio_rate, self.clip.audio_type)
        self.tracks = {True: _Track(True, PTS_HZ, VIDEO_TYPE), False: sound}

    def change(self, clip: Clip) -> None:
        """Go on with another clip after the current pass, on the same connection, as when a resolution is set anew."""
        self._following = clip

    def position(self, video: bool) -> str:
        """``seq`` and ``rtptime`` of a track's next packet, for the answer to PLAY."""
        track = self.tracks[video]
        now = self._elapsed + self._clock.monotonic() - self._begun
        return f"seq={track.sequence};rtptime={track.zero + round(now * track.rate) & 0xFFFFFFFF}"

    async def run(self) -> None:
        """Send for ever."""
        begun = self._begun = self._clock.monotonic()
        reported = float("-inf")
        while True:
            clip, tracks, base = self.clip, self.tracks, self._elapsed
            for unit in clip.units:
                wait = begun + unit.at - self._clock.monotonic()
                if wait > 0:
                    await asyncio.sleep(wait)
                if self.tracks is not tracks:
                    tracks, base = self.tracks, -unit.at
                    self._elapsed = base
                now = self._clock.monotonic()
                if self.frozen:
                    continue
                track = tracks[unit.video]
                packets = track.packets_of(unit, round(base * track.rate))
                viewers = [viewer for viewer in self.viewers if viewer.playing]
                for viewer in viewers:
                    viewer.send(unit.video, packets)
                if viewers and now - reported >= _REPORT_S:
                    reported = now
                    for video, each in tracks.items():
                        report = each.report(self._clock.wall_us(), base + now - begun)
                        for viewer in viewers:
                            viewer.send(video, [report], control=True)
            begun = self._begun = begun + clip.seconds
            self._elapsed = base + clip.seconds
            if self._following is not None:
                self.clip, self._following = self._following, None


class RtspServer:
    """Serves cameras by name: ``rtsp://host:port/<name>``.

    ``user`` and ``password`` together ask for Basic or Digest authentication (RFC 2617), whichever the client picks.
    Loopback unless told otherwise. Use ``await start()`` and ``await stop()`` on one event loop.
    """

    def __init__(
        self,
        clips: "dict[str, Path | Clip]",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        user: str | None = None,
        password: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._host, self._port = host, port
        self._login = (user, password) if user and password else None
        self._nonce = secrets.token_hex(16)
        loaded: dict[Path, Clip] = {}
        self.cameras: dict[str, _Camera] = {}
        for name, clip in clips.items():
            if isinstance(clip, Path):
                clip = loaded.get(clip) or loaded.setdefault(clip, load_clip(clip))
            self.cameras[name] = _Camera(clip, self._clock)
        self._server: asyncio.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._viewers: set[_Viewer] = set()

    async def start(self) -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(self._serve, self._host, self._port)
        self._port = int(self._server.sockets[0].getsockname()[1])
        self._tasks = [asyncio.create_task(camera.run()) for camera in self.cameras.values()]
        return self._port

    async def stop(self) -> None:
        """Stop listening and drop every viewer."""
        for task in self._tasks:
            task.cancel()
        if self._server is not None:
            self._server.close()
        for viewer in list(self._viewers):
            viewer.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        """Where it listens, once started."""
        return self._port

    def url(self, name: str) -> str:
        """A camera's address, without a password."""
        return f"rtsp://{self._host}:{self._port}/{name}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        viewer = _Viewer(writer)
        self._viewers.add(viewer)
        session = f"{secrets.randbits(32):08X}"
        try:
            while (request := await _read_request(reader)) is not None:
                code, headers, body = self._answer(request, viewer, session)
                headers = {"CSeq": request.headers.get("cseq", "0"), **headers}
                if body:
                    headers["Content-Length"] = str(len(body))
                lines = [f"RTSP/1.0 {code}", *(f"{key}: {value}" for key, value in headers.items()), "", ""]
                writer.write("\r\n".join(lines).encode() + body)
                await writer.drain()
                if request.method == "PLAY" and code.startswith("200"):
                    viewer.playing = True
                if request.method == "TEARDOWN":
                    break
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass
        finally:
            self._viewers.discard(viewer)
            for camera in self.cameras.values():
                camera.viewers.discard(viewer)
            viewer.close()

    def _answer(self, request: "_Request", viewer: _Viewer, session: str) -> tuple[str, dict[str, str], bytes]:
        method = request.method
        if method == "OPTIONS":
            return "200 OK", {"Public": _METHODS}, b""
        if not self._allowed(request):
            basic, digest = 'Basic realm="camera"', f'Digest realm="camera", nonce="{self._nonce}"'
            return "401 Unauthorized", {"WWW-Authenticate": f"{digest}\r\nWWW-Authenticate: {basic}"}, b""
        name = unquote(urlsplit(request.url).path).strip("/").split("/")[0]
        camera = self.cameras.get(name)
        if camera is None:
            return "404 Not Found", {}, b""
        if method == "DESCRIBE":
            described = {"Content-Base": f"{request.url.rstrip('/')}/", "Content-Type": "application/sdp"}
            return "200 OK", described, camera.clip.sdp().encode()
        if method == "SETUP":
            return self._set_up(request, camera, viewer, session)
        if method == "PLAY":
            camera.viewers.add(viewer)
            tracks = [video for video in (True, False) if video in viewer.channels or video in viewer.sockets]
            base = f"rtsp://{request.headers.get('host', f'{self._host}:{self._port}')}/{name}"
            info = [f"url={base}/track{0 if video else 1};{camera.position(video)}" for video in tracks]
            return "200 OK", {"Session": session, "Range": "npt=now-", "RTP-Info": ",".join(info)}, b""
        if method in {"TEARDOWN", "GET_PARAMETER", "SET_PARAMETER"}:
            return "200 OK", {"Session": session}, b""
        return "501 Not Implemented", {}, b""

    def _set_up(self, request: "_Request", camera: _Camera, viewer: _Viewer, session: str) -> tuple[str, dict[str, str], bytes]:
        video = not request.url.rstrip("/").endswith("track1")
        transport = request.headers.get("transport", "")
        ssrc = f"ssrc={camera.tracks[video].ssrc:08X}"
        if "TCP" in transport:
            found = re.search(r"interleaved=(\d+)", transport)
            channel = int(found[1]) if found else 0 if video else 2
            viewer.channels[video] = channel
            answer = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1};{ssrc}"
        else:
            found = re.search(r"client_port=(\d+)", transport)
            if found is None:
                return "461 Unsupported Transport", {}, b""
            client = int(found[1])
            rtp, rtcp, server = _port_pair(self._host)
            viewer.sockets[video] = (rtp, rtcp, viewer.writer.get_extra_info("peername")[0], client)
            answer = f"RTP/AVP;unicast;client_port={client}-{client + 1};server_port={server}-{server + 1};{ssrc}"
        return "200 OK", {"Transport": answer, "Session": f"{session};timeout=60"}, b""

    def _allowed(self, request: "_Request") -> bool:
        if self._login is None:
            return True
        user, password = self._login
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            given = base64.b64decode(rest + "==", validate=False)
            return secrets.compare_digest(given, f"{user}:{password}".encode())
        if scheme == "Digest":
            fields = dict(re.findall(r'(\w+)="?([^",]*)"?', rest))
            first = _md5(f"{user}:camera:{password}")
            second = _md5(f"{request.method}:{fields.get('uri', '')}")
            return secrets.compare_digest(fields.get("response", ""), _md5(f"{first}:{self._nonce}:{second}"))
        return False


@dataclass(frozen=True)
class _Request:
    method: str
    url: str
    headers: dict[str, str]


async def _read_request(reader: asyncio.StreamReader) -> _Request | None:
    """The next request; interleaved RTCP from the viewer is passed over. ``None`` at the end."""
    while True:
        first = await reader.readexactly(1)
        if first == b"$":
            _, size = struct.unpack(">BH", await reader.readexactly(3))
            await reader.readexactly(size)
            continue
        text = (first + await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace")
        head, *lines = text.split("\r\n")
        headers = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        size = headers.get("content-length", "0")
        if size.isdigit() and int(size):
            await reader.readexactly(int(size))
        parts = head.split(" ")
        return _Request(parts[0], parts[1], headers) if len(parts) == 3 else None


def _port_pair(host: str) -> tuple[socket.socket, socket.socket, int]:
    """Two UDP sockets on an even port and the one after it, as RTP wants (RFC 3550 section 11)."""
    for _ in range(100):
        rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rtp.bind((host, 0))
        port = int(rtp.getsockname()[1])
        rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            if port % 2 == 0:
                rtcp.bind((host, port + 1))
                rtp.setblocking(False)
                rtcp.setblocking(False)
                return rtp, rtcp, port
        except OSError:
            pass
        rtp.close()
        rtcp.close()
    raise OSError("no free pair of UDP ports")


def _md5(text: str) -> str:
    """Digest authentication of RFC 2617 is MD5; it guards a demonstration on the loopback."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
