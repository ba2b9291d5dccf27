"""Held-out pictures and the figures networks are compared by."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from barnhand.core.detection import Detections
from barnhand.core.geometry import iou, xywh, xyxy

LABELS = Path(__file__).resolve().parents[1] / "training" / "labels"
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class BoxSet:
    """Pictures and COCO annotations of their horses (``iscrowd`` 1 counts neither way)."""

    name: str
    images: list[dict[str, Any]]
    annotations: list[dict[str, Any]]
    read: Callable[[dict[str, Any]], Pixels]


def stills(data: Path, name: str, limit: int | None) -> BoxSet:
    """The val split of ``animalpose`` or ``arena``."""
    content = json.loads((data / name / "val.json").read_text())
    horse = next(kind["id"] for kind in content["categories"] if kind["name"] == "horse")
    images = content["images"][:limit]
    here = {image["id"] for image in images}
    rows = [row for row in content["annotations"] if row["category_id"] == horse and row["image_id"] in here]
    folder = data / name / "images"
    return BoxSet(name, images, rows, lambda image: _picture(folder / image["file_name"]))


def films(data: Path, limit: int | None) -> BoxSet:
    """The hand-labelled frames of the videos."""
    content = json.loads((LABELS / "video-horses.json").read_text())
    images = content["images"][:: max(1, len(content["images"]) // limit) if limit else 1]
    frames: dict[tuple[str, int], Pixels] = {}
    for film in sorted({image["video"] for image in images}):
        wanted = {image["frame"] for image in images if image["video"] == film}
        with av.open(str(data / "video" / film)) as container:
            for index, frame in enumerate(container.decode(video=0)):
                if index in wanted:
                    frames[film, index] = frame.to_ndarray(format="bgr24")
    here = {image["id"] for image in images}
    rows = [row for row in content["annotations"] if row["image_id"] in here]
    return BoxSet("video frames", images, rows, lambda image: frames[image["video"], image["frame"]])


def box_figures(pictures: BoxSet, found: dict[int, Detections]) -> dict[str, float]:
    """AP over IoU 0.5 to 0.95 and at 0.5, recall at score 0.3 and IoU 0.5, boxes at 0.3 a picture without a horse."""
    truth = [
        row | {"category_id": 1, "id": i + 1, "area": row["bbox"][2] * row["bbox"][3]}
        for i, row in enumerate(pictures.annotations)
    ]
    for row in truth:
        row.pop("keypoints", None)
        row.setdefault("iscrowd", 0)
    results = [
        {"image_id": key, "category_id": 1, "bbox": box, "score": float(score)}
        for key, horses in found.items()
        for box, score in zip(xywh(horses.boxes).tolist(), horses.scores, strict=True)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {"info": {}, "images": pictures.images, "annotations": truth, "categories": [{"id": 1, "name": "horse"}]}
        coco.createIndex()
        ap, ap50 = (0.0, 0.0)
        if results:
            judge = COCOeval(coco, coco.loadRes(results), "bbox")
            judge.evaluate()
            judge.accumulate()
            judge.summarize()
            ap, ap50 = float(judge.stats[0]), float(judge.stats[1])
    horses = [row for row in truth if not row["iscrowd"]]
    hits = 0
    for row in horses:
        sure = found[row["image_id"]]
        boxes = sure.boxes[sure.scores >= 0.3]
        hits += bool(len(boxes)) and bool((iou(xyxy(np.array([row["bbox"]], np.float32)), boxes) > 0.5).any())
    empty = {image["id"] for image in pictures.images} - {row["image_id"] for row in truth}
    false = sum(int((found[key].scores >= 0.3).sum()) for key in empty)
    return {
        "AP": ap,
        "AP50": ap50,
        "recall": hits / max(1, len(horses)),
        "false": false / len(empty) if empty else float("nan"),
        "horses": len(horses),
        "empty": len(empty),
    }


@dataclass(frozen=True)
class Posed:
    """One annotated horse: picture, box ``(4,)`` corners, points ``(20, 2)`` and which of them are labelled."""

    image: Pixels
    box: npt.NDArray[np.float32]
    points: npt.NDArray[np.float32]
    labelled: npt.NDArray[np.bool_]


def posed(data: Path, limit: int | None) -> Iterator[Posed]:
    """AnimalPose val horses; its order of points is horse-20's."""
    pictures = stills(data, "animalpose", None)
    by_id = {image["id"]: image for image in pictures.images}
    for row in pictures.annotations[:limit]:
        points = np.array(row["keypoints"], np.float32).reshape(20, 3)
        box = xyxy(np.array([row["bbox"]], np.float32))[0]
        yield Posed(pictures.read(by_id[row["image_id"]]), box, points[:, :2], points[:, 2] > 0)


HOOVES = (13, 14, 15, 16)


def point_figures(errors: npt.NDArray[np.float32], labelled: npt.NDArray[np.bool_]) -> dict[str, float]:
    """PCK: share of labelled points nearer than 0.1 (and 0.05) of the longest box side; of all and of the hooves."""
    right = errors < 0.1
    hooves = list(HOOVES)
    return {
        "PCK@0.1": float(right[labelled].mean()),
        "PCK@0.05": float((errors < 0.05)[labelled].mean()),
        "hooves": float(right[:, hooves][labelled[:, hooves]].mean()),
    }


def two_looks(
    data: Path, limit: int | None
) -> Iterator[tuple[Pixels, npt.NDArray[np.float32], Pixels, npt.NDArray[np.float32]]]:
    """Each AnimalPose val horse twice: as it is, and darker, warmer or colder, blurred, its box moved by a tenth, mirrored.

    One picture is no proof that a horse is known again on another day; it only tells features apart that fail at once.
    """
    rng = np.random.default_rng(7)
    for horse in posed(data, limit):
        image, box = horse.image, horse.box
        gain = rng.uniform(0.45, 1.2) * rng.uniform(0.85, 1.15, 3)
        other = np.clip(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 2)) * gain, 0, 255)
        if rng.random() < 0.3:
            other = np.repeat(other.mean(axis=2, keepdims=True), 3, axis=2)
        side = np.tile(box[2:] - box[:2], 2)
        moved = box + rng.uniform(-0.1, 0.1, 4) * side
        mirrored = np.ascontiguousarray(other[:, ::-1]).astype(np.uint8)
        turned = np.array([image.shape[1] - moved[2], moved[1], image.shape[1] - moved[0], moved[3]], np.float32)
        yield (image, box), (mirrored, turned)


def rank_figures(gallery: npt.NDArray[np.float32], queries: npt.NDArray[np.float32]) -> dict[str, float]:
    """Rank-1 and mean reciprocal rank; row i of both is the same horse."""
    likeness = queries @ gallery.T
    own = np.diag(likeness)[:, None]
    rank = 1 + (likeness > own).sum(axis=1)
    return {"rank-1": float((rank == 1).mean()), "mean 1/rank": float((1 / rank).mean())}


def histogram(image: Pixels, boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The yardstick of looks: hue and saturation of the box's middle half, 16 × 8 bins, as unit rows."""
    rows = []
    for x0, y0, x1, y1 in boxes.tolist():
        w, h = x1 - x0, y1 - y0
        top, left = max(0, round(y0 + h / 4)), max(0, round(x0 + w / 4))
        patch = image[top : max(top + 1, round(y1 - h / 4)), left : max(left + 1, round(x1 - w / 4))]
        counts = cv2.calcHist([cv2.cvtColor(patch, cv2.COLOR_BGR2HSV)], [0, 1], None, [16, 8], [0, 180, 0, 256]).ravel()
        rows.append(np.sqrt(counts / max(counts.sum(), 1)))
    return np.array(rows, np.float32)


def _picture(path: Path) -> Pixels:
    image = cv2.imread(str(path))
    if image is None:
        raise SystemExit(f"{path} is not a readable picture")
    return np.asarray(image, np.uint8)
