"""Sound: AAC as it comes, anything else made AAC."""

import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.resampler import AudioResampler

from barnhand.core.media import AudioFormat, Codec, Packet
from barnhand.core.time import PTS_HZ

_LOG = logging.getLogger(__name__)
_ADTS_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
_BIT_RATE = 32_000  # bits a second; a stable's microphone is speech at best


class AacPassthrough:
    """Raw AAC frames untouched; ADTS headers (ISO/IEC 13818-7, as in MPEG-TS) taken off."""

    def __init__(self, audio: AudioFormat) -> None:
        self.format = audio

    def convert(self, packet: Any, pts: int, arrived_us: int) -> Iterator[Packet]:
        """One packet in, one out."""
        data = bytes(packet)
        if data[:1] == b"\xff" and len(data) > 7 and data[1] & 0xF6 == 0xF0:
            data = data[7 if data[1] & 1 else 9 :]
        duration = 1024 * PTS_HZ // self.format.rate
        yield Packet(False, pts, pts, duration, True, data, arrived_us)


class AacEncoder:
    """G.711 and whatever else FFmpeg decodes, made mono or stereo AAC; one warning when something cannot be decoded."""

    def __init__(self, source: AudioCodecContext, name: str) -> None:
        rate = source.sample_rate if source.sample_rate in _ADTS_RATES else 48_000
        layout = "mono" if source.channels == 1 else "stereo"
        encoder = av.CodecContext.create("aac", "w")
        assert isinstance(encoder, AudioCodecContext)
        encoder.sample_rate, encoder.layout, encoder.format = rate, layout, "fltp"
        encoder.bit_rate, encoder.time_base = _BIT_RATE, Fraction(1, rate)
        encoder.open()
        self._name = name
        self._decoder = source
        self._encoder = encoder
        self._resampler = AudioResampler(format="fltp", layout=layout, rate=rate, frame_size=1024)
        self._next = 0
        self._warned = False
        self.format = AudioFormat(Codec.AAC, rate, encoder.channels, bytes(encoder.extradata or b""))

    def convert(self, packet: Any, pts: int, arrived_us: int) -> Iterator[Packet]:
        """One packet in, as many AAC frames out as are full; their stamps count samples and are set anew after a gap."""
        duration = 1024 * PTS_HZ // self.format.rate
        try:
            frames = [out for frame in self._decoder.decode(packet) for out in self._resample(frame)]
            packets = [coded for frame in frames for coded in self._encoder.encode(frame)]
        except av.error.FFmpegError as error:
            if not self._warned:
                self._warned = True
                _LOG.warning("%s: sound that cannot be decoded is left out (%s)", self._name, error)
            return
        if abs(pts - self._next) > PTS_HZ // 2:
            self._next = pts
        for coded in packets:
            yield Packet(False, self._next, self._next, duration, True, bytes(coded), arrived_us)
            self._next += duration

    def _resample(self, frame: Any) -> list[Any]:
        frame.pts = None
        return list(self._resampler.resample(frame))


def open_audio(stream: Any, name: str, *, transcode: bool) -> AacPassthrough | AacEncoder | None:
    """How a stream's sound is taken, or ``None`` with one warning when it is left out."""
    context = stream.codec_context
    if context.name in {"aac", "aac_fixed"} and context.sample_rate and context.channels:
        config = bytes(context.extradata or b"") or _specific_config(context.sample_rate, context.channels)
        return AacPassthrough(AudioFormat(Codec.AAC, context.sample_rate, context.channels, config))
    if transcode and context.sample_rate:
        try:
            return AacEncoder(context, name)
        except (av.error.FFmpegError, ValueError) as error:
            _LOG.warning("%s: its %s sound cannot be made AAC and is left out (%s)", name, context.name, error)
            return None
    _LOG.warning("%s: its sound (%s) is left out, the video is recorded", name, context.name)
    return None


def _specific_config(rate: int, channels: int) -> bytes:
    """AudioSpecificConfig of AAC-LC (ISO/IEC 14496-3 1.6.2.1), for streams that carry it in ADTS only."""
    index = _ADTS_RATES.index(rate) if rate in _ADTS_RATES else 3
    return (2 << 11 | index << 7 | channels << 3).to_bytes(2, "big")
