"""An FFmpeg container as packets: 90 kHz stamps, length-prefixed pictures, formats read from the parameter sets."""

import logging
from collections.abc import Iterator
from typing import Any

from barnhand.core.errors import DamagedMediaError, SourceError
from barnhand.core.media import AudioFormat, Codec, Packet, VideoFormat
from barnhand.core.stream import Cause
from barnhand.core.time import PTS_HZ, Clock
from barnhand.sources.audio import AacEncoder, AacPassthrough, open_audio
from barnhand.sources.nal import AccessUnit, access_unit, is_annex_b, record_sets, split_annex_b, split_lengths, video_format
from barnhand.sources.options import SourceOptions
from barnhand.sources.stamps import Reorder, Stamper

_LOG = logging.getLogger(__name__)
_CODECS = {"h264": Codec.H264, "hevc": Codec.HEVC}


class Demuxer:
    """Packets of one opened container.

    ``video`` is set anew when a key frame brings other parameter sets, before that packet is handed on. Raises
    ``SourceError`` when there is no video or its codec is not recorded; errors of FFmpeg pass through.
    """

    def __init__(self, container: Any, name: str, options: SourceOptions, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._container = container
        if not container.streams.video:
            raise SourceError(f"{name} has no picture, only {_kinds(container)}; choose an address with video", Cause.NOT_VIDEO)
        self._stream = container.streams.video[0]
        codec = _CODECS.get(self._stream.codec_context.name)
        if codec is None:
            found = self._stream.codec_context.name
            message = f"{name} sends {found}; set the camera to H.264 or H.265"
            raise SourceError(message, Cause.UNSUPPORTED_CODEC)
        self.codec = codec
        record = bytes(self._stream.codec_context.extradata or b"")
        # The record tells how pictures are cut: a length prefix of 256 to 511 looks like a start code.
        self._size = 0
        if record and not is_annex_b(record):
            sets, self._size = record_sets(codec, record)
        else:
            sets = split_annex_b(record)
        self._sets = tuple(sets)
        self._video = video_format(codec, sets)
        self._sound: AacPassthrough | AacEncoder | None = None
        self._audio_stream = next(iter(container.streams.audio), None) if options.audio else None
        if self._audio_stream is not None:
            self._sound = open_audio(self._audio_stream, name, transcode=options.transcode_audio)
        self._stamper = Stamper()
        over_rtp = container.format.name == "rtsp"
        self._reorder = Reorder(bool(self._stream.codec_context.has_b_frames)) if over_rtp else None
        self.corrupt = 0

    @property
    def video(self) -> VideoFormat | None:
        """The picture's format as of the latest packet; ``None`` until the parameter sets came."""
        return self._video

    @property
    def audio(self) -> AudioFormat | None:
        """The sound's format, ``None`` when there is none or it is left out."""
        return self._sound.format if self._sound is not None else None

    def packets(self) -> Iterator[Packet]:
        """Until the container ends. Damaged pictures are counted in ``corrupt`` and left out."""
        video, sound = self._stream, self._sound
        wanted = [video] if sound is None else [video, self._audio_stream]
        picture_index = video.index
        scale = _scale(video.time_base)
        sound_scale = _scale(self._audio_stream.time_base) if self._audio_stream is not None else (1, 1)
        for packet in self._container.demux(*wanted):
            if not packet.size:
                continue
            arrived_us = self._clock.wall_us()
            if packet.stream_index != picture_index:
                if sound is not None and packet.pts is not None:
                    yield from sound.convert(packet, packet.pts * sound_scale[0] // sound_scale[1], arrived_us)
                continue
            if packet.is_corrupt:
                self.corrupt += 1
            try:
                unit = self._unit(bytes(packet))
            except DamagedMediaError:
                self.corrupt += 1
                continue
            if unit is None:
                continue
            up, down = scale
            duration = (packet.duration or 0) * up // down
            key = unit.key or (packet.is_keyframe and bool(unit.sets))
            made = Packet(True, 0, 0, duration, key, unit.data, arrived_us)
            pts = packet.pts * up // down if packet.pts is not None else None
            dts = packet.dts * up // down if packet.dts is not None else None
            for ready in self._stamper.push(made, pts, dts):
                yield ready if self._reorder is None else self._reorder.stamp(ready)
        for ready in self._stamper.flush():
            yield ready if self._reorder is None else self._reorder.stamp(ready)

    def _unit(self, data: bytes) -> AccessUnit | None:
        nals = split_lengths(data, self._size) if self._size else split_annex_b(data)
        unit = access_unit(self.codec, nals)
        if unit.sets and not set(unit.sets) <= set(self._sets):
            changed = video_format(self.codec, unit.sets)
            if changed is not None:
                self._sets = unit.sets
                if self._video is not None:
                    _LOG.info("%s: now %d x %d", self._name, changed.width, changed.height)
                self._video = changed
        return unit if unit.data else None


def _scale(time_base: Any) -> tuple[int, int]:
    """Multiply and divide by these to get 90 kHz ticks."""
    return int(time_base.numerator) * PTS_HZ, int(time_base.denominator)


def _kinds(container: Any) -> str:
    return ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
