"""What the detector is measured on: pictures it never trained on, and the same pictures made harder.

Every set is a list of `Case`: pixels on demand and the horses in them. The harder sets (night, silhouette, bars,
pairs) are made from held-out pictures by a fixed seed, so every detector sees the same pixels.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.detect.augment import Scene, bars, infrared
from training.detect.data import Picture, corners, load, mask_of
from training.detect.herd import Herd, cutout
from training.detect.network import HORSE

Array = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
LABELS = Path(__file__).parents[1] / "labels"
DEMO = Path(__file__).parents[2] / "src/barnhand/demo"


@dataclass(frozen=True)
class Case:
    """One picture: `boxes` (N, 4) of its horses and `vague` (K, 4) that count neither way, x1 y1 x2 y2 in pixels."""

    name: str
    read: Callable[[], Pixels]
    boxes: Array
    vague: Array


def none() -> Array:
    return np.zeros((0, 4), np.float32)


def reader(path: Path) -> Callable[[], Pixels]:
    def read() -> Pixels:
        pixels = cv2.imread(str(path))
        if pixels is None:
            raise ValueError(f"{path} is not a readable picture.")
        return np.asarray(pixels, np.uint8)

    return read


def coco(file: Path, source: Callable[[dict[str, Any]], Callable[[], Pixels]], horses: Callable[[Any], bool]) -> list[Case]:
    """A COCO-style file; `horses` picks the annotations that count, the other horses are vague."""
    content = json.loads(file.read_text())
    horse = next(c["id"] for c in content["categories"] if c["name"] == "horse")
    boxes: dict[int, list[list[float]]] = defaultdict(list)
    vague: dict[int, list[list[float]]] = defaultdict(list)
    for annotation in content["annotations"]:
        if annotation["category_id"] == horse:
            counts = not annotation["iscrowd"] and horses(annotation)
            (boxes if counts else vague)[annotation["image_id"]].append(corners(annotation["bbox"]))
    return [
        Case(i["file_name"], source(i), *(np.array(b[i["id"]], np.float32).reshape(-1, 4) for b in (boxes, vague)))
        for i in content["images"]
    ]


def every(_: Any) -> bool:
    return True


def still(data: Path, name: str, horses: Callable[[Any], bool] = every) -> list[Case]:
    """The val split of `animalpose` or `arena`."""
    folder = data / name / "images"
    return coco(data / name / "val.json", lambda image: reader(folder / image["file_name"]), horses)


def frames(film: Path, wanted: set[int]) -> dict[int, npt.NDArray[np.uint8]]:
    """The wanted frames of a film, packed as PNG."""
    packed: dict[int, npt.NDArray[np.uint8]] = {}
    capture = cv2.VideoCapture(str(film))
    for number in range(max(wanted) + 1):
        good, frame = capture.read()
        if not good:
            raise ValueError(f"{film.name} ends before frame {number}: it is not the film that was labelled.")
        if number in wanted:
            packed[number] = np.asarray(cv2.imencode(".png", frame)[1], np.uint8)
    capture.release()
    return packed


def unpack(packed: npt.NDArray[np.uint8]) -> Callable[[], Pixels]:
    return lambda: np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def video(data: Path, name: str | None = None) -> list[Case]:
    """The hand-labelled video frames, of all videos or of one; frames are decoded once and kept as PNG in memory."""
    file = LABELS / "video-horses.json"
    images = json.loads(file.read_text())["images"]
    films = {film: {i["frame"] for i in images if i["video"] == film} for film in sorted({i["video"] for i in images})}
    packed = {film: frames(data / "video" / film, wanted) for film, wanted in films.items()}
    cases = coco(file, lambda image: unpack(packed[image["video"]][image["frame"]]), every)
    return [c for c in cases if name is None or c.name.startswith(name)]


def demo(activities: frozenset[str] | None, every_s: float = 0.5, least: float = 0.25) -> list[Case]:
    """Frames of the rendered demo films: horses that do one of `activities`, or (None) all of them and empty frames too.

    A horse of which less than the share `least` is in view, and one that does something else, counts neither way.
    """
    cases = []
    for film in sorted(DEMO.glob("*.mp4")):
        truth = json.loads(film.with_suffix(".json").read_text())
        chosen: dict[int, tuple[Array, Array]] = {}
        for number in range(0, len(truth["frames"]), round(every_s * truth["fps"])):
            counted: list[list[float]] = []
            vague: list[list[float]] = []
            for horse in truth["frames"][number]["horses"]:
                if horse["visible"]:
                    seen = 1 - horse["occlusion"] - horse["truncation"] >= least
                    counts = seen and (activities is None or horse["activity"] in activities)
                    (counted if counts else vague).append(corners(horse["bbox"]))
            if counted or activities is None:
                chosen[number] = (np.array(counted, np.float32).reshape(-1, 4), np.array(vague, np.float32).reshape(-1, 4))
        if chosen:
            packed = frames(film, set(chosen))
            cases += [Case(f"{film.stem}-{k:04d}", unpack(packed[k]), *boxes) for k, boxes in chosen.items()]
    return cases


def held_out(data: Path, mined: Path | None, kinds: tuple[str, ...]) -> list[Case]:
    """Pictures of the training sets that training leaves out (`data.HELD_OUT`)."""
    pictures = load(data, mined, held=True).pictures
    return [Case(p.path.name, p.read, p.boxes[p.labels == HORSE], p.ignore) for kind in kinds for p in pictures.get(kind, ())]


def changed(cases: list[Case], change: Callable[[Pixels, np.random.Generator], Pixels], seed: int) -> list[Case]:
    """The same cases with other pixels."""

    def through(case: Case, number: int) -> Case:
        return replace(case, read=lambda: change(case.read(), np.random.default_rng((seed, number))))

    return [through(case, number) for number, case in enumerate(cases)]


def night(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Infra-red: one channel, vignette, noise, JPEG."""
    grey = infrared(pixels.astype(np.float32), rng)
    grey += rng.standard_normal((*grey.shape[:2], 1), np.float32) * rng.uniform(3, 12)
    packed = cv2.imencode(".jpg", np.clip(grey, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def barred(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Bars or rails across the whole picture."""
    side = max(pixels.shape[:2])
    square = np.zeros((side, side, 3), np.uint8)
    square[: pixels.shape[0], : pixels.shape[1]] = pixels
    for _ in range(2):
        bars(square, rng)
    return square[: pixels.shape[0], : pixels.shape[1]]


def silhouettes(data: Path) -> list[Case]:
    """Held-out side views, the horse darkened to a twelfth: against the light."""
    found = []
    for picture in load(data, None, held=True).pictures["silhouette"]:

        def read(picture: Picture = picture) -> Pixels:
            dark = (mask_of(picture) > 0)[..., None]
            pixels = picture.read()
            return np.asarray(np.where(dark, pixels // 12, pixels), np.uint8)

        found.append(Case(picture.path.name, read, picture.boxes, none()))
    return found


def pairs(data: Path, count: int = 80) -> list[Case]:
    """Two cut-out horses of different brightness on a picture without horses, one 25–70 % behind the other.

    The box of the hind one is that of what is seen of it.
    """
    library = load(data, None, held=True).pictures
    horses, backs = library["silhouette"], library["human"]

    def scene(number: int) -> Scene:
        rng = np.random.default_rng((29, number))
        back = backs[int(rng.integers(len(backs)))].read()
        made = Herd(np.asarray(cv2.resize(back, (480, 480)), np.uint8))
        shift = 0
        for turn, light in enumerate((1.5, 0.6) if rng.random() < 0.5 else (0.7, 1.4)):
            pixels, mask = cutout(horses[int(rng.integers(len(horses)))])
            scale = float(rng.uniform(190, 260)) / pixels.shape[1]
            pixels = np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
            mask = np.asarray(cv2.resize(mask, (pixels.shape[1], pixels.shape[0])), np.uint8)
            if rng.random() < 0.5:
                pixels, mask = np.ascontiguousarray(pixels[:, ::-1]), np.ascontiguousarray(mask[:, ::-1])
            pixels = np.clip(pixels * light, 0, 255).astype(np.uint8)
            if turn == 1:
                shift = int(pixels.shape[1] * rng.uniform(0.3, 0.75) * rng.choice([-1, 1]))
            made.draw(pixels, mask, (120 + shift, 300 - pixels.shape[0] + 14 * turn))
        return made.scene()

    def case(number: int) -> Case:
        made = scene(number)
        return Case(f"pair-{number:03d}", lambda: made.pixels, made.boxes, made.ignore)

    return [c for c in (case(number) for number in range(count)) if len(c.boxes) == 2]


def grey_coats(data: Path) -> list[Case]:
    """AnimalPose val pictures with a grey or white horse; the other horses in them are vague."""
    ids = set(json.loads((LABELS / "animalpose-val-coats.json").read_text())["grey"])
    return [c for c in still(data, "animalpose", lambda a: a["id"] in ids) if len(c.boxes)]


def hidden(data: Path) -> list[Case]:
    """AnimalPose val horses of which at most 11 of the 20 points can be seen: cut off, or behind something."""
    found = still(data, "animalpose", lambda a: a["num_keypoints"] <= 11)
    return [c for c in found if len(c.boxes)]


def evaluation_sets(data: Path, mined: Path | None = None) -> dict[str, Callable[[], list[Case]]]:
    """All sets by name, built when asked for."""
    return {
        "animalpose": lambda: still(data, "animalpose"),
        "arena": lambda: still(data, "arena"),
        "video": lambda: video(data),
        "held-out": lambda: held_out(data, mined, ("horse", "silhouette", "livestock", "pet", "human")),
        "grey": lambda: grey_coats(data),
        "hidden": lambda: hidden(data),
        "night": lambda: changed(still(data, "animalpose"), night, 11),
        "silhouette": lambda: silhouettes(data),
        "barred": lambda: changed(still(data, "animalpose"), barred, 13),
        "pairs": lambda: pairs(data),
        "demo": lambda: demo(None),
        "lying": lambda: demo(frozenset({"lying"})),
        "lying-flat": lambda: demo(frozenset({"lying_flat"})),
        "pony": lambda: video(data, "pony_lying"),
    }
