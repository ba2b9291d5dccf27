"""Packets to fragments: ``prft`` + ``moof`` + ``mdat`` with one sample each, complete the moment the packet is.

ISO/IEC 14496-12: ``prft`` 8.16.5, ``tfhd`` 8.8.7, ``tfdt`` 8.8.12, ``trun`` 8.8.8.
"""

import struct

from barnhand.core.media import AudioFormat, Fragment, InitSegment, Packet, VideoFormat
from barnhand.fragments.init import AUDIO_TRACK, VIDEO_TRACK, build_init
from barnhand.fragments.mime import mime

_NTP_EPOCH = 2_208_988_800  # seconds from 1900 (NTP) to 1970 (Unix)
_SYNC = 0x02000000  # depends on no other sample
_DELTA = 0x01010000  # depends on others, is no sync sample
_HEAD = struct.Struct(">I4sIIQQI4sI4sIII4sI4sIII4sIQI4sIIiIIIiI4s")
_MOOF = 104


def ntp_of_wall(wall_us: int) -> int:
    """The 64-bit NTP time of ``prft``; the era (136 years) is left out, as in the standard."""
    seconds, micros = divmod(wall_us, 1_000_000)
    return (seconds + _NTP_EPOCH & 0xFFFFFFFF) << 32 | (micros << 32) // 1_000_000


def wall_of_ntp(ntp: int, near_us: int) -> int:
    """``wall_us`` of an NTP time, in the era closest to ``near_us``; exact for what ``ntp_of_wall`` wrote."""
    era_us = (1 << 32) * 1_000_000
    wall_us = ((ntp >> 32) - _NTP_EPOCH) * 1_000_000 + (((ntp & 0xFFFFFFFF) * 1_000_000 + 0xFFFFFFFF) >> 32)
    return wall_us + round((near_us - wall_us) / era_us) * era_us


class FragmentWriter:
    """Makes the init segment and the fragments of one run of one stream.

    Raises ``UnsupportedCodecError`` when the formats cannot be put in an MP4.
    """

    def __init__(self, stream_id: str, run: int, video: VideoFormat, audio: AudioFormat | None = None) -> None:
        self.stream_id = stream_id
        self.run = run
        self.video = video
        self.audio = audio
        self._mime = mime(video, audio)
        self._sequence = 0

    def init(self, wall_us: int) -> InitSegment:
        """The init segment; ``wall_us`` is when its run began."""
        data = build_init(self.run, wall_us, self.video, self.audio)
        return InitSegment(self.stream_id, self.run, wall_us, data, self._mime, self.video, self.audio)

    def fragment(self, packet: Packet, *, pts: int, dts: int, wall_us: int, duration: int | None = None) -> Fragment:
        """One packet as a fragment at ``pts``/``dts`` (90 kHz, epoch base), taken at ``wall_us``.

        ``duration`` in the same ticks is the packet's own unless given.
        """
        lasts = packet.duration if duration is None else duration
        track = VIDEO_TRACK if packet.video else AUDIO_TRACK
        sync = packet.key or not packet.video
        self._sequence = self._sequence + 1 & 0xFFFFFFFF
        size = len(packet.data)
        # prft version 1, flags 24: the NTP time is that of the capture of the frame (14496-12:2022, 8.16.5.3).
        head = _HEAD.pack(
            *(32, b"prft", 0x01000018, track, ntp_of_wall(wall_us), dts),
            *(_MOOF, b"moof", 16, b"mfhd", 0, self._sequence),
            *(80, b"traf", 16, b"tfhd", 0x020000, track),
            *(20, b"tfdt", 0x01000000, dts),
            *(36, b"trun", 0x01000F01, 1, _MOOF + 8, lasts, size, _SYNC if sync else _DELTA, pts - dts),
            *(8 + size, b"mdat"),
        )
        key = packet.key and packet.video
        return Fragment(self.stream_id, self.run, packet.video, key, pts, dts, lasts, wall_us, head + packet.data)
