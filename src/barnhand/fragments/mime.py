"""The MIME type a browser is asked with (RFC 6381; ISO/IEC 14496-15 annex E for H.265)."""

from barnhand.core.errors import UnsupportedCodecError
from barnhand.core.media import AudioFormat, Codec, VideoFormat


def video_codec(video: VideoFormat) -> str:
    """``avc1.64001f`` or ``hvc1.1.6.L93.b0`` from the decoder configuration record."""
    record = video.extradata
    if video.codec is Codec.H264:
        if len(record) < 7:
            raise UnsupportedCodecError("the H.264 configuration record (avcC) is cut short")
        return f"avc1.{record[1:4].hex()}"
    if video.codec is Codec.HEVC:
        if len(record) < 23:
            raise UnsupportedCodecError("the H.265 configuration record (hvcC) is cut short")
        space = ("", "A", "B", "C")[record[1] >> 6]
        tier = "H" if record[1] & 0x20 else "L"
        compatible = int(f"{int.from_bytes(record[2:6], 'big'):032b}"[::-1], 2)
        constraints = record[6:12].rstrip(b"\0")
        parts = [f"hvc1.{space}{record[1] & 31}", f"{compatible:x}", f"{tier}{record[12]}", *(f"{b:x}" for b in constraints)]
        return ".".join(parts)
    raise UnsupportedCodecError(f"{video.codec.value} is not a video codec BarnHand records; use H.264 or H.265")


def audio_codec(audio: AudioFormat) -> str:
    """``mp4a.40.2`` from the AudioSpecificConfig."""
    if audio.codec is not Codec.AAC or not audio.extradata:
        raise UnsupportedCodecError("audio is recorded as AAC with its AudioSpecificConfig only")
    kind = audio.extradata[0] >> 3
    if kind == 31 and len(audio.extradata) > 1:
        kind = 32 + ((audio.extradata[0] & 7) << 3 | audio.extradata[1] >> 5)
    return f"mp4a.40.{kind}"


def mime(video: VideoFormat, audio: AudioFormat | None) -> str:
    """E.g. ``video/mp4; codecs="avc1.64001f,mp4a.40.2"``. Raises ``UnsupportedCodecError``."""
    codecs = [video_codec(video)] + ([audio_codec(audio)] if audio is not None else [])
    return f'video/mp4; codecs="{",".join(codecs)}"'
