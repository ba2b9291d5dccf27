"""Packets as a camera sends them and the fragments they become."""

from dataclasses import dataclass
from enum import StrEnum


class Codec(StrEnum):
    """Codecs that are recorded as they come."""

    H264 = "h264"
    HEVC = "hevc"
    AAC = "aac"


@dataclass(frozen=True)
class VideoFormat:
    """What a decoder needs to know: ``extradata`` is the avcC or hvcC record (ISO/IEC 14496-15)."""

    codec: Codec
    width: int
    height: int
    extradata: bytes

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"a video's size is positive, got {self.width} x {self.height}")


@dataclass(frozen=True)
class AudioFormat:
    """AAC only: ``extradata`` is the AudioSpecificConfig (ISO/IEC 14496-3), ``rate`` in Hz."""

    codec: Codec
    rate: int
    channels: int
    extradata: bytes


@dataclass(frozen=True)
class Packet:
    """One access unit as it came from a source.

    ``pts``, ``dts`` and ``duration`` are in 90 kHz ticks on the source's own base; ``arrived_us`` is the wall time at
    which it was read; ``data`` is length-prefixed (4 bytes) NAL units for video, a raw AAC frame for audio.
    """

    video: bool
    pts: int
    dts: int
    duration: int
    key: bool
    data: bytes
    arrived_us: int


@dataclass(frozen=True)
class Fragment:
    """``prft`` + ``moof`` + ``mdat`` of one access unit, the same bytes for disk, hub and page.

    ``pts``, ``dts``: 90 kHz ticks on the epoch base; ``wall_us``: when the picture was taken; ``run`` changes whenever
    the init segment does (a restart, a new resolution), so a reader knows to take the new one.
    """

    stream_id: str
    run: int
    video: bool
    key: bool
    pts: int
    dts: int
    duration: int
    wall_us: int
    data: bytes


@dataclass(frozen=True)
class InitSegment:
    """``ftyp`` + ``moov`` of a run. ``mime`` is what a browser is asked, e.g. ``video/mp4; codecs="avc1.64001f"``."""

    stream_id: str
    run: int
    wall_us: int
    data: bytes
    mime: str
    video: VideoFormat
    audio: AudioFormat | None = None
