"""Crops of animals with an identity: rendered horses, annotated photographs, silhouettes, labelled video frames."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
HEIGHT, WIDTH = 128, 160
"""Size of the network's input: a standing horse is a little wider than high."""


@dataclass(frozen=True)
class Crop:
    """A picture with the box of one animal, [x, y, w, h] in pixels, and what is known about it.

    ``mask`` (h, w of the picture) is there where the data has one; ``light`` and ``group`` (coat or species) may be empty.
    """

    picture: Picture
    box: tuple[float, float, float, float]
    identity: str
    mask: npt.NDArray[np.bool_] | None = None
    light: str = ""
    group: str = ""


def stretch(picture: Picture, box: tuple[float, float, float, float], size: tuple[int, int] = (WIDTH, HEIGHT)) -> Picture:
    """The box cut out and resized to ``size`` (width, height) without keeping its shape: what the runtime does."""
    x, y, w, h = box
    x0, y0 = int(np.rint(x)), int(np.rint(y))
    x1, y1 = max(int(np.rint(x + w)), x0 + 1), max(int(np.rint(y + h)), y0 + 1)
    padded = np.full((y1 - y0, x1 - x0, 3), 114, np.uint8)
    xa, ya, xb, yb = max(x0, 0), max(y0, 0), min(x1, picture.shape[1]), min(y1, picture.shape[0])
    if xa < xb and ya < yb:
        padded[ya - y0 : yb - y0, xa - x0 : xb - x0] = picture[ya:yb, xa:xb]
    shrinks = padded.shape[0] > size[1] or padded.shape[1] > size[0]
    return np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8)


def rendered(folder: Path) -> Iterator[Crop]:
    """Every horse of the rendered parts under ``folder`` that shows enough of itself."""
    for path in sorted(folder.glob("*/annotations.json")):
        yield from rendered_part(path)


def rendered_part(path: Path, most_hidden: float = 0.6, least_area: int = 1200) -> Iterator[Crop]:
    """The same of one part, given its annotations.json."""
    content = json.loads(path.read_text())
    by_picture: dict[int, list[dict[str, Any]]] = {}
    for annotation in content["annotations"]:
        if annotation["occlusion"] <= most_hidden and annotation["truncation"] <= 0.5 and annotation["area"] >= least_area:
            by_picture.setdefault(annotation["image_id"], []).append(annotation)
    for image in content["images"]:
        if image["id"] not in by_picture:
            continue
        picture = np.asarray(cv2.imread(str(path.parent / image["file_name"])), np.uint8)
        for annotation in by_picture[image["id"]]:
            x, y, w, h = annotation["bbox"]
            yield Crop(picture, (x, y, w, h), annotation["identity"], None, image["light"], annotation["coat"])


def photographed(data: Path, kinds: dict[str, int], seed: int = 5, split: str = "train") -> Iterator[Crop]:
    """AnimalPose's animals, each an identity; ``kinds`` gives how many of each species at most, ``split`` is train or val."""
    content = json.loads((data / "animalpose" / f"{split}.json").read_text())
    names = {c["id"]: c["name"] for c in content["categories"]}
    files = {i["id"]: i["file_name"] for i in content["images"]}
    order = np.random.default_rng(seed).permutation(len(content["annotations"]))
    taken = dict.fromkeys(kinds, 0)
    for index in order:
        annotation = content["annotations"][int(index)]
        kind = names[annotation["category_id"]]
        x, y, w, h = annotation["bbox"]
        if kind not in kinds or taken[kind] >= kinds[kind] or w < 50 or h < 40:
            continue
        picture = cv2.imread(str(data / "animalpose" / "images" / files[annotation["image_id"]]))
        if picture is None:
            continue
        taken[kind] += 1
        yield Crop(np.asarray(picture, np.uint8), (x, y, w, h), f"photo-{annotation['id']}", None, "", kind)


def silhouettes(data: Path) -> Iterator[Crop]:
    """The side views with masks, each an identity."""
    for path in sorted((data / "silhouettes" / "images").glob("*.jpg")):
        masks = list((data / "silhouettes" / "masks").glob(path.stem + ".*"))
        picture = cv2.imread(str(path))
        if picture is None or not masks:
            continue
        grey = np.asarray(cv2.imread(str(masks[0]), cv2.IMREAD_GRAYSCALE), np.uint8)
        mask = cv2.resize(grey, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_NEAREST) > 0
        if not mask.any():
            continue
        ys, xs = np.nonzero(mask)
        box = (float(xs.min()), float(ys.min()), float(np.ptp(xs) + 1), float(np.ptp(ys) + 1))
        yield Crop(np.asarray(picture, np.uint8), box, path.stem, np.asarray(mask), "", "silhouette")


def tracklets(data: Path, labels: Path) -> list[tuple[Crop, float]]:
    """Hand-labelled horses of the videos with their time as a share of the video.

    Boxes are joined over time by overlap and distance.
    """
    content = json.loads(labels.read_text())
    by_picture: dict[int, list[list[float]]] = {}
    for annotation in content["annotations"]:
        if not annotation.get("iscrowd"):
            by_picture.setdefault(annotation["image_id"], []).append(annotation["bbox"])
    out: list[tuple[Crop, float]] = []
    for video in sorted({i["video"] for i in content["images"]}):
        wanted = {i["frame"]: i["id"] for i in content["images"] if i["video"] == video and i["id"] in by_picture}
        if not wanted:
            continue
        pictures = frames(data / "video" / video, set(wanted))
        tracks: list[list[float]] = []
        last = max(wanted)
        for frame in sorted(wanted):
            free = set(range(len(tracks)))
            for box in by_picture[wanted[frame]]:
                track = _nearest(box, tracks, free)
                if track is None:
                    tracks.append(box)
                    track = len(tracks) - 1
                else:
                    tracks[track] = box
                free.discard(track)
                x, y, w, h = box
                out.append((Crop(pictures[frame], (x, y, w, h), f"{Path(video).stem}-{track}"), frame / max(last, 1)))
    return out


def herd(data: Path, tracks: Path) -> list[tuple[Crop, float]]:
    """Horses of one video whose identities were labelled by eye, with their time as a share of the video."""
    content = json.loads(tracks.read_text())
    video = Path(content["video"])
    by_frame = {int(number): boxes for number, boxes in content["frames"].items()}
    pictures = frames(data / "video" / video, set(by_frame))
    last = max(by_frame)
    return [
        (Crop(pictures[number], (box[0], box[1], box[2], box[3]), f"{video.stem}-{name}"), number / last)
        for number, boxes in sorted(by_frame.items())
        for name, box in boxes.items()
    ]


def _nearest(box: list[float], tracks: list[list[float]], free: set[int]) -> int | None:
    best, best_distance = None, 0.6
    for track in free:
        other = tracks[track]
        size = (box[2] + other[2]) / 2
        distance = (
            float(np.hypot(box[0] + box[2] / 2 - other[0] - other[2] / 2, box[1] + box[3] / 2 - other[1] - other[3] / 2)) / size
        )
        if distance < best_distance and 0.5 < box[3] / max(other[3], 1) < 2.0:
            best, best_distance = track, distance
    return best


def frames(path: Path, wanted: set[int]) -> dict[int, Picture]:
    """The wanted frames of a video, BGR, by number."""
    out = {}
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in wanted:
                out[number] = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            if number >= max(wanted):
                break
    return out
