"""Processor share of converting H.265 to H.264, by picture size: ``python -m benchmarks.converting``.

The best of some rounds of processor time, as a busy machine only ever adds to it.
"""

import argparse
import resource
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from barnhand.core.media import Codec, InitSegment, Packet
from barnhand.demo import films
from barnhand.fragments.reader import read_chunk
from barnhand.fragments.writer import FragmentWriter
from barnhand.sources.nal import access_unit, record_sets, split_lengths, video_format
from barnhand.transcode.converter import Converter
from barnhand.transcode.options import TranscodeOptions

RATE = 25
PICTURES = 100


def record(folder: Path, width: int, height: int) -> Path:
    """A chunk of the paddock in H.265 at this size."""
    source = next(film for film in films() if film.name == "paddock").video
    file = folder / f"{width}.mp4"
    params = "keyint=50:min-keyint=50:scenecut=0:bframes=0:log-level=none:pools=none:frame-threads=1"
    with av.open(str(source)) as given, av.open(str(file), "w") as out:
        track = out.add_stream("libx265", rate=RATE, options={"preset": "ultrafast", "crf": "26", "x265-params": params})
        track.width, track.height, track.pix_fmt = width, height, "yuv420p"
        for index, frame in enumerate(given.decode(video=0)):
            if index == PICTURES:
                break
            image = cv2.resize(frame.to_ndarray(format="bgr24"), (width, height), interpolation=cv2.INTER_CUBIC)
            made = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
            made.pts, made.time_base = index, Fraction(1, RATE)
            out.mux(track.encode(made))
        out.mux(track.encode(None))
    with av.open(str(file)) as coded:
        stream = coded.streams.video[0]
        sets, size = record_sets(Codec.HEVC, bytes(stream.codec_context.extradata or b""))
        look = video_format(Codec.HEVC, sets)
        assert look is not None
        writer = FragmentWriter("cam", 1, look)
        parts = [writer.init(0).data]
        for index, packet in enumerate(p for p in coded.demux(stream) if p.size):
            unit = access_unit(Codec.HEVC, split_lengths(bytes(packet), size))
            sample = Packet(True, 0, 0, 90_000 // RATE, unit.key, unit.data, 0)
            pts = index * 90_000 // RATE
            parts.append(writer.fragment(sample, pts=pts, dts=pts, wall_us=index * 1_000_000 // RATE).data)
    chunk = folder / f"chunk-{width}.mp4"
    chunk.write_bytes(b"".join(parts))
    return chunk


def convert(chunk: Path) -> tuple[float, int]:
    """Seconds of processor time and bytes made."""
    items = list(read_chunk(chunk, "cam"))
    assert isinstance(items[0], InitSegment)
    begun = time.process_time()
    converter = Converter(items[0], "cam:h264", 1, TranscodeOptions())
    made = [out for item in items[1:] if not isinstance(item, InitSegment) for out in converter.convert(item)]
    return time.process_time() - begun, sum(len(fragment.data) for fragment in made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    print(f"{'camera':>12} {'of a core at 25/s':>18} {'seconds for a chunk of 10 s':>28} {'Mbit/s made':>12}")
    with tempfile.TemporaryDirectory() as folder:
        for width, height in ((1280, 720), (1920, 1080), (2560, 1440)):
            chunk = record(Path(folder), width, height)
            seconds, size = min(convert(chunk) for _ in range(rounds))
            each = seconds / PICTURES
            print(f"{width:>7}×{height:<4} {each * RATE:>17.0%} {each * 250:>28.1f} {size * 8 * RATE / PICTURES / 1e6:>12.1f}")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most in this process, encoding included")


if __name__ == "__main__":
    main()
