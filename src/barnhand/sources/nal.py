"""NAL units: splitting Annex B, and turning it into what MP4 wants (length prefixes, avcC and hvcC records).

ITU-T H.264 table 7-1 and H.265 table 7-1 for the unit types; ISO/IEC 14496-15 clauses 5.3.3 (avcC) and 8.3.3 (hvcC).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from barnhand.core.errors import DamagedMediaError
from barnhand.core.media import Codec, VideoFormat
from barnhand.sources.bits import BitReader

_START = b"\0\0\1"
_H264_HIGH = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}


@dataclass(frozen=True)
class AccessUnit:
    """One picture's NAL units without parameter sets and delimiters, 4-byte length prefixes.

    ``sets`` are the parameter sets that came with it, in order; ``key`` is true when it can be decoded on its own.
    """

    data: bytes
    key: bool
    sets: tuple[bytes, ...]


def kind(codec: Codec, nal: bytes) -> int:
    """The NAL unit type."""
    return nal[0] & 31 if codec is Codec.H264 else nal[0] >> 1 & 63


def is_set(codec: Codec, number: int) -> bool:
    """Whether a unit type is a parameter set (SPS, PPS; VPS)."""
    return number in {7, 8} if codec is Codec.H264 else number in {32, 33, 34}


def _is_key(codec: Codec, number: int) -> bool:
    """An IDR picture, or any random access picture of H.265."""
    return number == 5 if codec is Codec.H264 else 16 <= number <= 21


def _is_filler(codec: Codec, number: int) -> bool:
    """Delimiters, end markers and padding: of no use once every unit has its length and every picture its sample."""
    return number in {9, 10, 11, 12} if codec is Codec.H264 else number in {35, 36, 37, 38}


def is_annex_b(data: bytes) -> bool:
    """Whether the bytes begin with a start code rather than a length."""
    return data[:4] == b"\0\0\0\1" or data[:3] == _START


def split_annex_b(data: bytes) -> list[bytes]:
    """The NAL units between start codes."""
    nals = []
    at = data.find(_START)
    while at >= 0:
        begin = at + 3
        at = data.find(_START, begin)
        nal = data[begin:] if at < 0 else data[begin:at]
        if nal[-1:] == b"\0":
            nal = nal.rstrip(b"\0")  # the zero byte of a four-byte start code, or trailing zeros
        if nal:
            nals.append(nal)
    return nals


def split_lengths(data: bytes, size: int) -> list[bytes]:
    """The NAL units behind ``size``-byte lengths. Raises ``DamagedMediaError`` when a length reaches past the end."""
    nals = []
    at = 0
    while at + size <= len(data):
        end = at + size + int.from_bytes(data[at : at + size], "big")
        if end > len(data):
            raise DamagedMediaError("a picture is cut: one of its parts is longer than the bytes there are")
        if end > at + size:
            nals.append(data[at + size : end])
        at = end
    return nals


def access_unit(codec: Codec, nals: Iterable[bytes]) -> AccessUnit:
    """Sort the units of one picture into picture and parameter sets."""
    parts: list[bytes] = []
    sets: list[bytes] = []
    key = False
    for nal in nals:
        number = kind(codec, nal)
        if is_set(codec, number):
            sets.append(nal)
        elif not _is_filler(codec, number):
            key = key or _is_key(codec, number)
            parts += (len(nal).to_bytes(4, "big"), nal)
    return AccessUnit(b"".join(parts), key, tuple(sets))


def record_sets(codec: Codec, record: bytes) -> tuple[list[bytes], int]:
    """``(parameter sets, length size)`` of an avcC or hvcC record. Raises ``DamagedMediaError``."""
    sets: list[bytes] = []
    try:
        if codec is Codec.H264:
            at, size = 5, (record[4] & 3) + 1
            for mask in (31, 255):
                count = record[at] & mask
                at += 1
                for _ in range(count):
                    at = _take(record, at, sets)
            return sets, size
        at, size = 23, (record[21] & 3) + 1
        for _ in range(record[22]):
            count = int.from_bytes(record[at + 1 : at + 3], "big")
            at += 3
            for _ in range(count):
                at = _take(record, at, sets)
    except IndexError:
        raise DamagedMediaError("the decoder configuration record is cut short") from None
    return [nal for nal in sets if is_set(codec, kind(codec, nal))], size


def _take(record: bytes, at: int, sets: list[bytes]) -> int:
    end = at + 2 + int.from_bytes(record[at : at + 2], "big")
    if end > len(record) or end <= at + 2:
        raise DamagedMediaError("the decoder configuration record is cut short")
    sets.append(record[at + 2 : end])
    return end


def video_format(codec: Codec, sets: Sequence[bytes]) -> VideoFormat | None:
    """The format parameter sets describe, or ``None`` while one of the kinds is missing. Raises ``DamagedMediaError``."""
    wanted = (7, 8) if codec is Codec.H264 else (32, 33, 34)
    groups = [list(dict.fromkeys(nal for nal in sets if kind(codec, nal) == number)) for number in wanted]
    if not all(groups):
        return None
    if codec is Codec.H264:
        width, height, extra = _read_h264(groups[0][0])
        return VideoFormat(codec, width, height, _avcc(groups[0], groups[1], extra))
    width, height, depths, nested = _read_hevc(groups[1][0])
    return VideoFormat(codec, width, height, _hvcc(wanted, groups, depths, nested))


def _avcc(sps: list[bytes], pps: list[bytes], extra: bytes) -> bytes:
    record = b"\x01" + sps[0][1:4] + b"\xff" + bytes([0xE0 | len(sps)])
    record += b"".join(len(nal).to_bytes(2, "big") + nal for nal in sps) + bytes([len(pps)])
    return record + b"".join(len(nal).to_bytes(2, "big") + nal for nal in pps) + extra


def _hvcc(kinds: Sequence[int], groups: list[list[bytes]], depths: tuple[int, int, int], nested: int) -> bytes:
    profile = groups[1][0].replace(b"\0\0\x03", b"\0\0")[3:15]  # the 12 bytes of general profile, tier and level
    chroma, luma_bits, chroma_bits = depths
    record = b"\x01" + profile + b"\xf0\0\xfc" + bytes([0xFC | chroma, 0xF8 | luma_bits, 0xF8 | chroma_bits]) + b"\0\0"
    record += bytes([nested << 2 | 3 | 1 << 3, len(groups)])
    for number, group in zip(kinds, groups, strict=True):
        record += bytes([0x80 | number]) + len(group).to_bytes(2, "big")
        record += b"".join(len(nal).to_bytes(2, "big") + nal for nal in group)
    return record


def _read_h264(sps: bytes) -> tuple[int, int, bytes]:
    """``(width, height, tail of avcC)`` of a sequence parameter set (H.264 clause 7.3.2.1.1)."""
    bits = BitReader(sps[1:])
    profile = bits.u(8)
    bits.skip(16)
    bits.ue()
    chroma, separate, luma_bits, chroma_bits = 1, 0, 0, 0
    if profile in _H264_HIGH:
        chroma = bits.ue()
        separate = bits.u(1) if chroma == 3 else 0
        luma_bits, chroma_bits = bits.ue(), bits.ue()
        bits.skip(1)
        if bits.u(1):
            for index in range(12 if chroma == 3 else 8):
                if bits.u(1):
                    _skip_scaling_list(bits, 16 if index < 6 else 64)
    bits.ue()
    order = bits.ue()
    if order == 0:
        bits.ue()
    elif order == 1:
        bits.skip(1)
        bits.se()
        bits.se()
        for _ in range(bits.ue()):
            bits.se()
    bits.ue()
    bits.skip(1)
    width, height = (bits.ue() + 1) * 16, (bits.ue() + 1) * 16
    frames_only = bits.u(1)
    height *= 2 - frames_only
    if not frames_only:
        bits.skip(1)
    bits.skip(1)
    if bits.u(1):
        left, right, top, bottom = (bits.ue() for _ in range(4))
        planar = chroma if not separate else 0
        width -= (left + right) * (2 if planar in {1, 2} else 1)
        height -= (top + bottom) * (2 if planar == 1 else 1) * (2 - frames_only)
    extra = bytes([0xFC | chroma, 0xF8 | luma_bits, 0xF8 | chroma_bits, 0]) if profile in _H264_HIGH else b""
    return _sane(width), _sane(height), extra


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _read_hevc(sps: bytes) -> tuple[int, int, tuple[int, int, int], int]:
    """``(width, height, (chroma, luma bits - 8, chroma bits - 8), nested)`` of an SPS (H.265 clause 7.3.2.2)."""
    bits = BitReader(sps[2:])
    bits.skip(4)
    layers = bits.u(3)
    nested = bits.u(1)
    bits.skip(96)
    present = [(bits.u(1), bits.u(1)) for _ in range(layers)]
    if layers:
        bits.skip(2 * (8 - layers))
    for profile, level in present:
        bits.skip(88 * profile + 8 * level)
    bits.ue()
    chroma = bits.ue()
    if chroma == 3:
        bits.skip(1)
    width, height = bits.ue(), bits.ue()
    if bits.u(1):
        left, right, top, bottom = (bits.ue() for _ in range(4))
        width -= (left + right) * (2 if chroma in {1, 2} else 1)
        height -= (top + bottom) * (2 if chroma == 1 else 1)
    return _sane(width), _sane(height), (chroma, bits.ue(), bits.ue()), nested


def _sane(size: int) -> int:
    if not 0 < size <= 16_384:
        raise DamagedMediaError(f"a parameter set says the picture is {size} px wide or high")
    return size
