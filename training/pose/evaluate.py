"""Figures on held-out animals, cropped and decoded as the runtime does: PCK, calibration, four hooves on four legs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import linear_sum_assignment

from training.common.crop import Image, move_points, square_around, square_crop
from training.common.precision import half
from training.pose.data import Entry, read_coco
from training.pose.decode import calibrated, decode, logit
from training.pose.metrics import fit_pooled, pck_table, relative_errors, reliability
from training.pose.model import PoseNet
from training.pose.skeleton import GROUPS, MIRROR, POINTS

Floats = npt.NDArray[np.float32]
Predict = Callable[[Floats], Floats]
"""(n, 3, 256, 256) RGB 0..255 to (n, 20, 64, 64)."""

SIZE = 256
CROP_SCALE = 1.25
HOOVES = GROUPS["hooves"]


@dataclass(frozen=True)
class Found:
    """What a network found on n animals, in crop pixels, beside the truth: `points` (n, 20, 2), `peaks` (n, 20), `true`
    (n, 20, 2), `state` (n, 20), `longest` (n,) longest box side."""

    points: Floats
    peaks: Floats
    true: Floats
    state: npt.NDArray[np.uint8]
    longest: Floats

    @property
    def errors(self) -> Floats:
        """(n, 20) distances over the longest box side."""
        return relative_errors(self.points, self.true, self.longest)

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """(n, 20): the point is visible and was found within 0.1 of the longest box side."""
        return np.asarray((self.errors < 0.1) & (self.state == 2))


def torch_predictor(model: PoseNet, *, narrow: bool = True) -> Predict:
    """Heatmaps of a torch model."""

    @torch.no_grad()
    def predict(crops: Floats) -> Floats:
        x = torch.from_numpy(crops).contiguous(memory_format=torch.channels_last)
        with half("cpu", narrow):
            return np.asarray(model(x).float().numpy(), np.float32)

    return predict


def mirrored(predict: Predict) -> Predict:
    """The mean of the heatmaps of a picture and of its mirror."""

    def both(crops: Floats) -> Floats:
        back = predict(np.ascontiguousarray(crops[..., ::-1]))[..., ::-1][:, list(MIRROR)]
        return np.asarray((predict(crops) + back) / 2, np.float32)

    return both


def look(predict: Predict, pictures: Sequence[tuple[Image, Entry]], *, penalty: float | None = None, batch: int = 16) -> Found:
    """Crop every animal from its BGR picture, predict and decode."""
    points, peaks, true, longest = [], [], [], []
    for start in range(0, len(pictures), batch):
        crops = []
        for image, entry in pictures[start : start + batch]:
            crop, affine = square_crop(image, *square_around(entry.box, CROP_SCALE), SIZE)
            crops.append(crop[..., ::-1].transpose(2, 0, 1))
            true.append(move_points(affine, entry.points[:, :2]))
            longest.append(max(entry.box[2:]) * affine[0, 0])
        heat = predict(np.stack(crops).astype(np.float32))
        found, peak = decode(heat) if penalty is None else decode(heat, penalty=penalty)
        points.append(found)
        peaks.append(peak)
    state = np.stack([entry.points[:, 2] for _, entry in pictures]).astype(np.uint8)
    arrays = (np.concatenate(points), np.concatenate(peaks), np.asarray(true, np.float32))
    return Found(*arrays, state, np.asarray(longest, np.float32))


def read_pictures(entries: Sequence[Entry]) -> list[tuple[Image, Entry]]:
    """Each entry with its BGR picture."""
    pictures = []
    for entry in entries:
        image = cv2.imread(str(entry.picture), cv2.IMREAD_COLOR)
        if image is None:
            raise FileNotFoundError(f"{entry.picture} cannot be read as a picture")
        pictures.append((np.asarray(image, np.uint8), entry))
    return pictures


def evaluate_model(model: PoseNet, entries: Sequence[Entry]) -> dict[str, float]:
    """PCK table of a torch model on these animals; `single_pck10` is without choosing legs in pairs."""
    pictures = read_pictures(entries)
    predict = torch_predictor(model)
    found = look(predict, pictures)
    single = look(predict, pictures, penalty=0.0)
    return pck_table(found.errors, found.state > 0) | {"single_pck10": pck_table(single.errors, single.state > 0)["pck10"]}


def calibration_of(found: Found) -> tuple[Floats, Floats]:
    """Logistic curves (a, b) from peak logit to "visible and within 0.1"; left and right points share one."""
    return fit_pooled(logit(found.peaks), found.right, MIRROR)


def crossfitted_scores(found: Found, folds: int = 5) -> Floats:
    """(n, 20) scores, each from curves fitted on the other folds' animals."""
    scores = np.zeros_like(found.peaks)
    fold = np.arange(len(found.peaks)) % folds
    for index in range(folds):
        rest, held = fold != index, fold == index
        part = Found(found.points[rest], found.peaks[rest], found.true[rest], found.state[rest], found.longest[rest])
        scores[held] = calibrated(found.peaks[held], *calibration_of(part))
    return scores


def four_legs(points: Floats, true: Floats, longest: float) -> tuple[bool, bool]:
    """For four hooves found and true, (4, 2) each: (every found hoof is nearest to a true hoof of its own, there is a
    one-to-one match with every distance below 0.1 of the longest box side)."""
    distance = np.linalg.norm(points[:, None] - true[None], axis=-1)
    own = len(set(distance.argmin(1).tolist())) == len(true)
    close = distance < 0.1 * longest
    rows, columns = linear_sum_assignment(~close)
    return own, bool(close[rows, columns].all())


def legs_table(found: Found) -> dict[str, Any]:
    """Shares of frames with the four hooves on four legs, and PCK@0.1 of the hooves with their sides and without."""
    hooves = list(HOOVES)
    results = [
        four_legs(found.points[i, hooves], found.true[i, hooves], float(found.longest[i])) for i in range(len(found.points))
    ]
    return {
        "frames": len(results),
        "four_legs": float(np.mean([own for own, _ in results])),
        "four_within_0.1": float(np.mean([close for _, close in results])),
        "hooves_pck10": float((found.errors[:, hooves] < 0.1).mean()),
    }


def gait_frames(folder: Path) -> dict[str, list[tuple[Image, Entry]]]:
    """Rendered side views by gait, from `annotations.json` files whose annotations name their `gait`."""
    frames: dict[str, list[tuple[Image, Entry]]] = {}
    for path in sorted(folder.rglob("annotations.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        gaits = [item["gait"] for item in document["annotations"]]
        entries = read_coco(path, path.parent, "gait", min_points=0, min_side=1.0)
        for gait, picture in zip(gaits, read_pictures(entries), strict=True):
            hooves = picture[1].points[list(HOOVES), 2]
            if (hooves > 0).all():
                frames.setdefault(gait, []).append(picture)
    return frames


def labelled_frames(labels: Path, video: Path) -> list[tuple[Image, Entry]]:
    """Frames of a video with hooves labelled by hand (`training/labels/paddock_trot_pose.json`)."""
    document = json.loads(labels.read_text(encoding="utf-8"))
    wanted = {item["frame"]: item for item in document["frames"]}
    capture = cv2.VideoCapture(str(video))
    pictures: list[tuple[Image, Entry]] = []
    for number in range(max(wanted) + 1):
        done, image = capture.read()
        if not done:
            raise FileNotFoundError(f"{video} cannot be read, or has fewer than {max(wanted) + 1} frames")
        if number in wanted:
            points = np.zeros((len(POINTS), 3), np.float32)
            for name, (x, y) in wanted[number]["points"].items():
                points[POINTS.index(name)] = (x, y, 2)
            x, y, w, h = wanted[number]["box"]
            entry = Entry(video, (x, y, w, h), points, "horse", f"{video.name}#{number}")
            pictures.append((np.asarray(image, np.uint8), entry))
    capture.release()
    return pictures


def full_report(
    predict: Predict, val: Sequence[Entry], *, gait: Path | None, labels: Path | None, video: Path | None
) -> dict[str, Any]:
    """All figures of the model card, as plain numbers."""
    pictures = read_pictures(val)
    found = look(predict, pictures)
    report: dict[str, Any] = {"val_horses": len(val), "val": pck_table(found.errors, found.state > 0)}
    report["val_legs_decoded_singly"] = _pck_only(look(predict, pictures, penalty=0.0))
    report["val_mirrored_too"] = _pck_only(look(mirrored(predict), pictures))
    scores = crossfitted_scores(found)
    report["calibration_crossfitted"] = reliability(scores, found.right)
    unseen = found.state == 0
    report["score_of_unlabelled"] = float(scores[unseen].mean())
    report["score_of_visible"] = float(scores[found.state == 2].mean())
    if gait is not None:
        report["rendered_gaits"] = {name: legs_table(look(predict, frames)) for name, frames in gait_frames(gait).items()}
    if labels is not None and video is not None:
        report["paddock_trot"] = legs_table(look(predict, labelled_frames(labels, video)))
    return report


def _pck_only(found: Found) -> dict[str, float]:
    table = pck_table(found.errors, found.state > 0)
    return {key: table[key] for key in ("pck10", "hooves_pck10")}
