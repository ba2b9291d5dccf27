"""Small clips made on the spot: the frame number is in the pixels, so that a picture says which one it is."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

BITS = 12  # frame numbers up to 4095

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "small": {"width": 160, "height": 128},
    "b_frames": {"b_frames": 2},
    "pyramid": {"b_frames": 3, "audio": "aac", "fps": 30, "frames": 47},
    "hevc": {"codec": "libx265"},
    "hevc_b": {"codec": "libx265", "b_frames": 2},
    "sound": {"audio": "aac"},
}


def draw(number: int, width: int, height: int) -> npt.NDArray[np.uint8]:
    """A grey ramp that moves, with the number as black and white blocks along the top."""
    ramp = (np.arange(width)[None, :] + np.arange(height)[:, None] * 2 + number * 3) % 160 + 40
    image = np.repeat(ramp[:, :, None], 3, axis=2).astype(np.uint8)
    block = width // BITS
    for bit in range(BITS):
        image[: height // 4, bit * block : (bit + 1) * block] = 235 if number >> bit & 1 else 16
    return image


def read(image: npt.NDArray[np.uint8]) -> int:
    """The number ``draw`` wrote into a picture."""
    height, width = image.shape[:2]
    block = width // BITS
    row = image[height // 8, :, 0]
    return sum(1 << bit for bit in range(BITS) if row[bit * block + block // 2] > 128)


def make_clip(
    path: Path,
    *,
    codec: str = "libx264",
    width: int = 320,
    height: int = 240,
    frames: int = 50,
    fps: int = 25,
    gop: int = 25,
    b_frames: int = 0,
    audio: str | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode a clip. ``audio`` is a codec name such as ``aac`` or ``pcm_mulaw``; the container follows the suffix."""
    params = f"bframes={b_frames}:b-adapt=0:scenecut=0:keyint={gop}:min-keyint={gop}"
    if codec == "libx265":
        params += ":log-level=none:pools=none:frame-threads=1"
    settings = {"preset": "ultrafast", "g": str(gop), f"{codec[3:]}-params": params, **(options or {})}
    with av.open(str(path), "w") as out:
        video = out.add_stream(codec, rate=fps, options=settings)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.time_base = Fraction(1, fps)
        video.codec_context.thread_count = 1
        sound = None
        if audio is not None:
            rate = 8000 if audio.startswith("pcm") else 48000
            sound = out.add_stream(audio, rate=rate, layout="mono")
        heard = 0
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(draw(number, width, height), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            out.mux(video.encode(frame))
            while sound is not None and heard < (number + 1) * sound.rate // fps:
                out.mux(sound.encode(_tone(heard, sound.rate, audio or "")))
                heard += 1024
        out.mux(video.encode(None))
        if sound is not None:
            out.mux(sound.encode(None))
    return path


def _tone(start: int, rate: int, codec: str) -> av.AudioFrame:
    wave = 0.3 * np.sin(2 * np.pi * 440 * (start + np.arange(1024)) / rate)
    if codec.startswith("pcm"):
        frame = av.AudioFrame.from_ndarray((wave * 32767).astype(np.int16)[None], format="s16", layout="mono")
    else:
        frame = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
    return frame


def make_clips(folder: Path, gop: int = 25) -> dict[str, Path]:
    """One clip of each kind a camera may send."""
    made = {name: make_clip(folder / f"{name}.mp4", gop=gop, **kind) for name, kind in KINDS.items()}
    made["g711"] = make_clip(folder / "g711.mov", audio="pcm_mulaw")
    made["alaw"] = make_clip(folder / "alaw.mov", audio="pcm_alaw")
    made["mpeg4"] = make_clip(folder / "mpeg4.mp4", codec="mpeg4")
    made["faststart"] = _copy(made["plain"], folder / "faststart.mp4", "video", {"movflags": "faststart"})
    made["only_sound"] = _copy(made["sound"], folder / "only_sound.mp4", "audio", {})
    return made


def _copy(source: Path, target: Path, kind: str, options: dict[str, str]) -> Path:
    with av.open(str(source)) as given, av.open(str(target), "w", options=options) as out:
        chosen = next(s for s in given.streams if s.type == kind)
        track = out.add_stream_from_template(chosen)
        for packet in given.demux(chosen):
            if packet.dts is not None:
                packet.stream = track
                out.mux(packet)
    return target
