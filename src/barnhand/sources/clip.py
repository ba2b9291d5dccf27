"""A file's pictures and sound as ready-made RTP packets (RFC 3550), so that a camera made of it costs next to nothing.

Payloads: H.264 RFC 6184 (packetisation mode 1), H.265 RFC 7798, AAC RFC 3640 (AAC-hbr), G.711 RFC 3551.
"""

import base64
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from barnhand.core.errors import DamagedMediaError, UnsupportedCodecError
from barnhand.core.media import Codec
from barnhand.core.time import PTS_HZ
from barnhand.sources.nal import access_unit, is_annex_b, kind, record_sets, split_annex_b, split_lengths

VIDEO_TYPE = 96
AUDIO_TYPE = 97
_G711 = {"pcm_mulaw": (0, "PCMU"), "pcm_alaw": (8, "PCMA")}  # static payload types of RFC 3551 section 6
_G711_BYTES = 160  # 20 ms at 8 kHz, what cameras send
_CODECS = {"h264": Codec.H264, "hevc": Codec.HEVC}


@dataclass(frozen=True)
class Unit:
    """One access unit: when it is sent and shown (seconds × ``clock`` of its track, from the start) and its payloads."""

    video: bool
    at: float
    stamp: int
    key: bool
    payloads: tuple[bytes, ...]


@dataclass(frozen=True)
class Clip:
    """A file, packetised. ``units`` are in order of sending; ``seconds`` is how long one pass lasts."""

    name: str
    codec: Codec
    width: int
    height: int
    sets: tuple[bytes, ...]
    seconds: float
    units: tuple[Unit, ...]
    audio_rate: int = 0
    audio_channels: int = 0
    audio_config: bytes = b""
    audio_type: int = AUDIO_TYPE
    audio_name: str = "MPEG4-GENERIC"

    @property
    def frames(self) -> int:
        """Pictures of one pass."""
        return sum(unit.video for unit in self.units)

    def sdp(self) -> str:
        """The session description (RFC 8866) of this clip, media lines included."""
        lines = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", f"s={self.name}", "t=0 0", "a=control:*"]
        lines += [f"m=video 0 RTP/AVP {VIDEO_TYPE}", "c=IN IP4 0.0.0.0"]
        coded = [base64.b64encode(nal).decode("ascii") for nal in self.sets]
        if self.codec is Codec.H264:
            profile = next(nal for nal in self.sets if kind(self.codec, nal) == 7)[1:4].hex()
            lines += [
                f"a=rtpmap:{VIDEO_TYPE} H264/90000",
                f"a=fmtp:{VIDEO_TYPE} packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={','.join(coded)}",
            ]
        else:
            named = zip(("vps", "sps", "pps"), self._grouped(coded), strict=True)
            sprops = ";".join(f"sprop-{name}={','.join(group)}" for name, group in named)
            lines += [f"a=rtpmap:{VIDEO_TYPE} H265/90000", f"a=fmtp:{VIDEO_TYPE} {sprops}"]
        lines.append("a=control:track0")
        if self.audio_rate:
            lines += [
                f"m=audio 0 RTP/AVP {self.audio_type}",
                "c=IN IP4 0.0.0.0",
                f"a=rtpmap:{self.audio_type} {self.audio_name}/{self.audio_rate}/{self.audio_channels}",
            ]
            if self.audio_config:
                lines.append(
                    f"a=fmtp:{self.audio_type} streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;"
                    f"indexdeltalength=3;config={self.audio_config.hex()}"
                )
            lines.append("a=control:track1")
        return "\r\n".join(lines) + "\r\n"

    def _grouped(self, coded: list[str]) -> list[list[str]]:
        pairs = list(zip(self.sets, coded, strict=True))
        return [[text for nal, text in pairs if kind(self.codec, nal) == number] for number in (32, 33, 34)]


def load_clip(path: Path, *, name: str | None = None, mtu: int = 1400) -> Clip:
    """Read and packetise a file with H.264 or H.265, and its AAC or G.711 if it has any.

    Raises ``UnsupportedCodecError`` for other codecs, ``DamagedMediaError`` when the file cannot be read.
    """
    try:
        with av.open(str(path)) as container:
            return _packetise(container, name or path.stem, mtu)
    except (av.error.FFmpegError, IndexError) as error:
        raise DamagedMediaError(f"{path} cannot be served as a camera: {error}") from error


def _packetise(container: Any, name: str, mtu: int) -> Clip:
    stream = container.streams.video[0]
    codec = _CODECS.get(stream.codec_context.name)
    if codec is None:
        raise UnsupportedCodecError(f"{name} is {stream.codec_context.name}; only H.264 and H.265 files are served as cameras")
    record = bytes(stream.codec_context.extradata or b"")
    # Only the record tells: a length prefix of 256 to 511 looks like a start code.
    annex_b = is_annex_b(record)
    sets, size = (split_annex_b(record), 4) if annex_b else record_sets(codec, record)
    sound = next((s for s in container.streams.audio if _is_sound(s.codec_context)), None)
    packets = [p for p in container.demux(*filter(None, (stream, sound))) if p.dts is not None and p.size]
    pictures = [p for p in packets if p.stream_index == stream.index]
    zero = float(pictures[0].dts * stream.time_base)
    first = float(min(p.pts for p in pictures) * stream.time_base)
    step = float((pictures[-1].dts - pictures[0].dts) * stream.time_base) / max(len(pictures) - 1, 1)
    seconds = float((pictures[-1].dts - pictures[0].dts) * stream.time_base) + (step or 0.04)
    units = []
    for packet in packets:
        if packet.stream_index == stream.index:
            data = bytes(packet)
            nals = split_annex_b(data) if annex_b else split_lengths(data, size)
            picture = access_unit(codec, nals)
            whole = [*sets, *_parts(picture.data)] if picture.key else _parts(picture.data)
            stamp = round((float(packet.pts * stream.time_base) - first) * PTS_HZ)
            payloads = tuple(part for nal in whole for part in _payloads(codec, nal, mtu))
            units.append(Unit(True, float(packet.dts * stream.time_base) - zero, stamp, picture.key, payloads))
        elif sound is not None:
            at = float(packet.pts * packet.time_base) - first
            if 0 <= at < seconds:
                units += _sound_units(sound.codec_context, at, bytes(packet))
    units.sort(key=lambda unit: unit.at)
    audio = sound.codec_context if sound is not None else None
    described: tuple[Any, ...] = ()
    if audio is not None:
        named = _G711.get(audio.name, (AUDIO_TYPE, "MPEG4-GENERIC"))
        described = (audio.sample_rate, audio.channels, bytes(audio.extradata or b""), *named)
    picture = stream.codec_context
    return Clip(name, codec, picture.width, picture.height, tuple(sets), seconds, tuple(units), *described)


def _is_sound(audio: Any) -> bool:
    return audio.name in _G711 or (audio.name == "aac" and bool(audio.extradata))


def _sound_units(audio: Any, at: float, data: bytes) -> list[Unit]:
    """One AAC frame with its AU header (RFC 3640 3.2.1), or G.711 in pieces of 20 ms."""
    rate = int(audio.sample_rate)
    if audio.name not in _G711:
        return [Unit(False, at, round(at * rate), True, (struct.pack(">HH", 16, len(data) << 3) + data,))]
    step = _G711_BYTES * audio.channels
    begun = round(at * rate)
    return [
        Unit(False, at + start / (rate * audio.channels), begun + start // audio.channels, True, (data[start : start + step],))
        for start in range(0, len(data), step)
    ]


def _parts(data: bytes) -> list[bytes]:
    return split_lengths(data, 4)


def _payloads(codec: Codec, nal: bytes, mtu: int) -> list[bytes]:
    """A NAL unit as it is, or in fragmentation units (FU-A of RFC 6184 5.8, FU of RFC 7798 4.4.3)."""
    if len(nal) <= mtu:
        return [nal]
    head = 1 if codec is Codec.H264 else 2
    body = nal[head:]
    step = mtu - head - 1
    cuts = [body[at : at + step] for at in range(0, len(body), step)]
    payloads = []
    for index, cut in enumerate(cuts):
        edges = (0x80 if index == 0 else 0) | (0x40 if index == len(cuts) - 1 else 0)
        if codec is Codec.H264:
            front = bytes([nal[0] & 0xE0 | 28, nal[0] & 0x1F | edges])
        else:
            front = bytes([nal[0] & 0x81 | 49 << 1, nal[1], nal[0] >> 1 & 0x3F | edges])
        payloads.append(front + cut)
    return payloads
