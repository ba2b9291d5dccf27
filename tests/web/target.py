"""A rendered clip whose truth is known for every frame: its number as a bar code, and a target that moves 8 px a frame.

The number is sixteen black or white blocks along the top edge. The target is a magenta rectangle that crosses the picture
in 125 frames and begins again, as another track, so that nobody may draw a line between the end of one pass and the
beginning of the next.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from barnhand.core.frame import Image
from barnhand.core.identity import Certainty, Identity
from barnhand.core.media import Codec, Packet, VideoFormat
from barnhand.core.observation import HorseObservation, Observation
from barnhand.core.pose import Pose
from barnhand.core.skeleton import load_skeleton

WIDTH, HEIGHT, RATE = 1280, 720, 25
GROUP = 25
FRAMES = 250
PASS = 125
STEP_PX = 8
TARGET = (160, 120)
BLOCK = 40
FRAME_US = 1_000_000 // RATE
FRAME_TICKS = 90_000 // RATE
MAGENTA = (255, 0, 255)
BELLA = "6f1ddf0e-3c1c-4d8e-9f0a-2f1b2c3d4e5f"


@dataclass(frozen=True)
class Clip:
    """``packets`` of ``FRAMES`` frames, one access unit each, in groups of ``GROUP``."""

    video: VideoFormat
    packets: tuple[bytes, ...]

    def packet(self, index: int, arrived_us: int) -> Packet:
        """Frame ``index`` of the endless loop."""
        number = index % FRAMES
        return Packet(True, 0, 0, FRAME_TICKS, number % GROUP == 0, self.packets[number], arrived_us)


def box_of(index: int) -> tuple[int, int, int, int]:
    """Corners of the target in frame ``index``, px."""
    x = 20 + (index % PASS) * STEP_PX
    y = 300
    return x, y, x + TARGET[0], y + TARGET[1]


def render(index: int) -> Image:
    """``(HEIGHT, WIDTH, 3)`` RGB of frame ``index``."""
    image = np.full((HEIGHT, WIDTH, 3), 52, np.uint8)
    image[HEIGHT // 2 :] = (62, 54, 44)
    number = index % FRAMES
    for bit in range(16):
        image[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 235 if number >> bit & 1 else 16
    x0, y0, x1, y1 = box_of(index)
    image[y0:y1, x0:x1] = MAGENTA
    return image


def encode(path: Path, codec: str = "libx264") -> Path:
    """The loop as an MP4; some seconds."""
    options = {"preset": "superfast", "g": str(GROUP), "keyint_min": str(GROUP), "sc_threshold": "0", "bf": "0", "crf": "20"}
    if codec == "libx265":
        params = f"keyint={GROUP}:min-keyint={GROUP}:scenecut=0:bframes=0:log-level=none:pools=none:frame-threads=1"
        options = {"preset": "ultrafast", "crf": "24", "x265-params": params}
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream(codec, rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = Fraction(1, RATE)
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(render(index), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def load(path: Path) -> Clip:
    """An MP4 holds what a fragment wants: length-prefixed units and the record."""
    with av.open(str(path)) as clip:
        stream = clip.streams.video[0]
        codec = Codec.HEVC if stream.codec_context.name == "hevc" else Codec.H264
        extradata = bytes(stream.codec_context.extradata or b"")
        packets = tuple(bytes(packet) for packet in clip.demux(stream) if packet.size)
    assert len(packets) == FRAMES
    return Clip(VideoFormat(codec, WIDTH, HEIGHT, extradata), packets)


def observe(stream_id: str, index: int, wall_us: int, pts: int) -> Observation:
    """What a perfect analyst sees in frame ``index``."""
    x0, y0, x1, y1 = box_of(index)
    skeleton = load_skeleton("horse-20")
    spread = np.linspace(0.1, 0.9, len(skeleton))
    points = np.stack([x0 + spread * (x1 - x0), y0 + (spread * 7 % 1) * (y1 - y0)], axis=1).astype(np.float32)
    horse = HorseObservation(
        track_id=index // PASS,
        color="#e6194b",
        box=np.array([x0, y0, x1, y1], np.float32),
        score=0.87,
        identity=Identity(BELLA, "Bella", Certainty.CONFIRMED, 0.9),
        pose=Pose("horse-20", points, np.full(len(skeleton), 0.9, np.float32)),
        metrics={"speed": 0.4},
    )
    return Observation(stream_id, wall_us, pts, WIDTH, HEIGHT, (horse,))
