"""The init segment: ``ftyp``, a ``uuid`` box of ours with the run, ``moov`` (ISO/IEC 14496-12, -14, -15)."""

import struct
import uuid

from barnhand.core.media import AudioFormat, Codec, VideoFormat
from barnhand.core.time import PTS_HZ
from barnhand.fragments.boxes import box, find, full_box, walk

VIDEO_TRACK = 1
AUDIO_TRACK = 2

#: Names our ``uuid`` box: stream independent, so that a file can be read without its row.
RUN_BOX = uuid.uuid5(uuid.NAMESPACE_URL, "urn:barnhand:run").bytes

_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def build_init(run: int, wall_us: int, video: VideoFormat, audio: AudioFormat | None) -> bytes:
    """Bytes of an init segment. Track 1 is video, track 2 audio; both count in 90 kHz ticks."""
    traks = _trak(VIDEO_TRACK, video.width, video.height, _video_media(video))
    trex = _trex(VIDEO_TRACK)
    if audio is not None:
        traks += _trak(AUDIO_TRACK, 0, 0, _audio_media(audio))
        trex += _trex(AUDIO_TRACK)
    mvhd = full_box(
        b"mvhd", 0, 0, struct.pack(">IIIIIH10x", 0, 0, PTS_HZ, 0, 0x10000, 0x100), _MATRIX, bytes(24), struct.pack(">I", 3)
    )
    return (
        box(b"ftyp", b"iso6", struct.pack(">I", 1), b"iso6", b"mp41", b"cmfc")
        + box(b"uuid", RUN_BOX, struct.pack(">QQ", run, wall_us))
        + box(b"moov", mvhd, traks, box(b"mvex", trex))
    )


def read_run(data: bytes) -> tuple[int, int]:
    """``(run, wall_us)`` of an init segment; ``(0, 0)`` when it was not written by BarnHand."""
    for item in walk(data):
        if item.kind == b"uuid" and data[item.body : item.body + 16] == RUN_BOX and item.end - item.body >= 32:
            run, wall_us = struct.unpack_from(">QQ", data, item.body + 16)
            return int(run), int(wall_us)
    return 0, 0


def read_formats(data: bytes) -> tuple[VideoFormat | None, AudioFormat | None]:
    """The formats an init segment declares, as ``build_init`` was given them."""
    video: VideoFormat | None = None
    audio: AudioFormat | None = None
    moov = find(data, "moov")
    for trak in walk(data, moov.body, moov.end) if moov else ():
        stsd = find(data, "mdia/minf/stbl/stsd", trak.body, trak.end) if trak.kind == b"trak" else None
        for entry in walk(data, stsd.body + 8, stsd.end) if stsd else ():
            if entry.kind in {b"avc1", b"hvc1"}:
                width, height = struct.unpack_from(">HH", data, entry.body + 24)
                codec, name = (Codec.H264, "avcC") if entry.kind == b"avc1" else (Codec.HEVC, "hvcC")
                record = find(data, name, entry.body + 78, entry.end)
                if record is not None:
                    video = VideoFormat(codec, width, height, data[record.body : record.end])
            elif entry.kind == b"mp4a":
                channels = struct.unpack_from(">H", data, entry.body + 16)[0]
                rate = struct.unpack_from(">I", data, entry.body + 24)[0] >> 16
                esds = find(data, "esds", entry.body + 28, entry.end)
                if esds is not None:
                    audio = AudioFormat(Codec.AAC, rate, channels, _specific_config(data[esds.body : esds.end]))
    return video, audio


def _trak(track: int, width: int, height: int, media: bytes) -> bytes:
    volume = 0 if width else 0x100
    tkhd = full_box(
        b"tkhd",
        0,
        3,
        struct.pack(">IIIII8xHHHxx", 0, 0, track, 0, 0, 0, 0, volume),
        _MATRIX,
        struct.pack(">II", width << 16, height << 16),
    )
    return box(b"trak", tkhd, media)


def _media(handler: bytes, header: bytes, entry: bytes) -> bytes:
    empty = b"".join(full_box(kind, 0, 0, bytes(4)) for kind in (b"stts", b"stsc")) + full_box(b"stsz", 0, 0, bytes(8))
    stbl = box(b"stbl", full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry), empty, full_box(b"stco", 0, 0, bytes(4)))
    dinf = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    mdhd = full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, PTS_HZ, 0, 0x55C4, 0))  # 0x55C4: language "und"
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), b"BarnHand\0")
    return box(b"mdia", mdhd, hdlr, box(b"minf", header, dinf, stbl))


def _video_media(video: VideoFormat) -> bytes:
    kind, record = (b"avc1", b"avcC") if video.codec is Codec.H264 else (b"hvc1", b"hvcC")
    fixed = struct.pack(">6xH16xHHIIIH32xHh", 1, video.width, video.height, 0x480000, 0x480000, 0, 1, 24, -1)
    return _media(b"vide", full_box(b"vmhd", 0, 1, bytes(8)), box(kind, fixed, box(record, video.extradata)))


def _audio_media(audio: AudioFormat) -> bytes:
    fixed = struct.pack(">6xH8xHHIHH", 1, audio.channels, 16, 0, audio.rate if audio.rate < 65536 else 0, 0)
    config = _descriptor(4, struct.pack(">BB3xII", 0x40, 0x15, 0, 0) + _descriptor(5, audio.extradata))
    esds = full_box(b"esds", 0, 0, _descriptor(3, struct.pack(">HB", AUDIO_TRACK, 0) + config + _descriptor(6, b"\x02")))
    return _media(b"soun", full_box(b"smhd", 0, 0, bytes(4)), box(b"mp4a", fixed, esds))


def _trex(track: int) -> bytes:
    return full_box(b"trex", 0, 0, struct.pack(">IIIII", track, 1, 0, 0, 0))


def _descriptor(tag: int, body: bytes) -> bytes:
    """An MPEG-4 descriptor (ISO/IEC 14496-1) with a four-byte length, as most writers do."""
    size = len(body)
    return bytes([tag, 0x80 | size >> 21 & 0x7F, 0x80 | size >> 14 & 0x7F, 0x80 | size >> 7 & 0x7F, size & 0x7F]) + body


def _specific_config(esds: bytes) -> bytes:
    """The AudioSpecificConfig inside an ``esds`` box's content."""
    position = 4
    skip = {3: 3, 4: 13}  # bytes of an ES and of a decoder descriptor before their inner descriptors
    while position + 2 <= len(esds):
        tag = esds[position]
        position += 1
        size = 0
        while position < len(esds):
            byte = esds[position]
            position += 1
            size = size << 7 | byte & 0x7F
            if byte < 0x80:
                break
        if tag == 5:
            return esds[position : position + size]
        position += skip.get(tag, size)
    return b""
