"""Writes demo footage: H.264 with a key frame every two seconds and no B-frames, and its ground truth beside it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from training.synthetic.anatomy import HORSE_20
from training.synthetic.truth import HorseTruth

LICENCE = "MIT (rendered by BarnHand from CC0 models by Quaternius)"


class FilmWriter:
    """Encodes BGR pictures as they come; use as a context manager."""

    def __init__(self, path: Path, width: int, height: int, fps: int, crf: int) -> None:
        self._container = av.open(str(path), "w", options={"movflags": "+faststart"})
        stream = self._container.add_stream("libx264", rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = 2 * fps
        stream.codec_context.max_b_frames = 0
        stream.options = {
            "crf": str(crf),
            "preset": "medium",
            "bf": "0",
            "x264-params": f"keyint={2 * fps}:min-keyint={2 * fps}:scenecut=0:bframes=0",
        }
        self._stream = stream

    def __enter__(self) -> FilmWriter:
        return self

    def write(self, picture: npt.NDArray[np.uint8]) -> None:
        """Add one BGR picture."""
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        self._container.mux(self._stream.encode(frame))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self._container.mux(self._stream.encode(None))
        self._container.close()


def horse_entry(
    identity: str, coat: str, activity: str, gait: str | None, phase: float | None, truth: HorseTruth | None
) -> dict[str, Any]:
    """One horse in one frame; a horse out of sight has no box and no points."""
    entry: dict[str, Any] = {"identity": identity, "coat": coat, "activity": activity, "gait": gait}
    if phase is not None:
        entry["phase"] = round(phase, 3)
    seen = truth is not None and truth.mask.sum() >= 40
    entry["visible"] = bool(seen)
    if truth is not None and seen:
        entry["bbox"] = [round(v, 1) for v in truth.bbox]
        entry["occlusion"] = round(truth.hidden, 2)
        entry["truncation"] = round(truth.outside, 2)
        entry["keypoints"] = [round(float(v)) for v in truth.keypoints.ravel()]
    return entry


def write_truth(path: Path, name: str, title: str, width: int, height: int, fps: int, frames: list[dict[str, Any]]) -> None:
    """The ground truth of one film."""
    content = {
        "name": name,
        "title": title,
        "video": f"{name}.mp4",
        "fps": fps,
        "width": width,
        "height": height,
        "frame_count": len(frames),
        "licence": LICENCE,
        "skeleton": "horse-20",
        "keypoint_names": list(HORSE_20),
        "notes": "bbox [x, y, w, h] of what is seen; keypoints x, y, v per joint: v 2 seen, 1 hidden, 0 outside the picture",
        "frames": frames,
    }
    path.write_text(json.dumps(content, separators=(",", ":")))
