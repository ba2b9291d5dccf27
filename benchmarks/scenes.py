"""Moving horses with known truth, simulated in two dimensions: pictures, detections as a detector would give them, looks.

Horses are rectangles on a textured ground; each has an appearance vector. A horse covered by a nearer one or by a wall is
detected badly or not at all, its box jitters, its look is mixed with its neighbour's; now and then a sure horse is missed
and a false box appears. Everything is seeded.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from barnhand.core.detection import Detections
from barnhand.core.frame import Frame
from barnhand.core.geometry import Floats, area, intersection

WIDTH, HEIGHT, LOOK = 640, 360, 64
START_US = 1_800_000_000_000_000


@dataclass(frozen=True)
class Scene:
    """What is simulated: ``walls`` are ``(x0, x1)`` px columns of the ground that hide what is behind."""

    name: str
    horses: int
    seconds: float
    seed: int
    fps: float = 5.0
    pan: float = 0.0
    """Greatest speed of the camera in px/s."""
    walls: tuple[tuple[float, float], ...] = ()
    alike: float = 0.5
    """Cosine similarity between two horses' looks."""
    steady: float = 0.85
    """Cosine similarity between two looks of one horse."""
    crossing: bool = False
    """Horses walk to and fro across the picture instead of milling about."""


@dataclass(frozen=True, eq=False)
class Moment:
    """One picture of a scene. ``truth`` is ``{identity: box}`` of horses at least a quarter visible."""

    frame: Frame
    detections: Detections
    looks: Floats
    truth: dict[int, Floats] = field(default_factory=dict)


def _unit(v: Floats) -> Floats:
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9), np.float32)


def _identities(scene: Scene, rng: np.random.Generator) -> Floats:
    common = _unit(rng.normal(size=LOOK))
    own = _unit(rng.normal(size=(scene.horses, LOOK)))
    return _unit(np.sqrt(scene.alike) * common + np.sqrt(1 - scene.alike) * own)


def _ground(rng: np.random.Generator) -> np.ndarray:
    coarse = rng.integers(60, 200, (HEIGHT // 12, WIDTH * 4 // 12, 3), np.uint8)
    fine = rng.integers(0, 40, (HEIGHT, WIDTH * 4, 3), np.uint8)
    return cv2.add(cv2.resize(coarse, (WIDTH * 4, HEIGHT), interpolation=cv2.INTER_CUBIC), fine)


def play(scene: Scene) -> Iterator[Moment]:
    """The scene's pictures in order."""
    rng = np.random.default_rng(scene.seed)
    ground, ids = _ground(rng), _identities(scene, rng)
    n, dt = scene.horses, 1 / scene.fps
    size = rng.uniform(70, 120, n)
    depth = rng.permutation(n) * (60 / max(n, 1))
    x = rng.uniform(WIDTH * 1.6, WIDTH * 2.4, n)
    y = 150 + depth + (0 if scene.crossing else rng.uniform(-20, 60, n))
    way = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    vx, vy = way * size * rng.uniform(0.4, 0.9, n), np.zeros(n)
    left, camera_v = WIDTH * 1.5, 0.0
    sub = 5
    coats = rng.integers(20, 235, (n, 3))
    for k in range(round(scene.seconds * scene.fps)):
        for _ in range(sub):
            h = dt / sub
            if scene.crossing:
                centre = left + WIDTH / 2
                vx = np.where(x > centre + WIDTH * 0.55, -np.abs(vx), np.where(x < centre - WIDTH * 0.55, np.abs(vx), vx))
            else:
                centre = left + WIDTH / 2
                vx += (-0.4 * vx + 0.25 * (centre - x) / 3) * h + rng.normal(size=n) * size * 0.7 * np.sqrt(h)
                vy += (-0.8 * vy + 0.6 * (210 - y)) * h + rng.normal(size=n) * size * 0.15 * np.sqrt(h)
            x, y = x + vx * h, y + vy * h
            camera_v += -0.5 * camera_v * h + rng.normal() * scene.pan * np.sqrt(h)
            left = float(np.clip(left + np.clip(camera_v, -scene.pan, scene.pan) * h, 0, WIDTH * 3))
        yield _moment(scene, rng, k, ground, ids, np.stack([x - left, y, size], 1), coats, left)


def _moment(scene: Scene, rng: np.random.Generator, k: int, ground, ids, state, coats, left) -> Moment:
    x, y, size = state.T
    boxes = np.stack([x - size * 0.65, y - size * 0.5, x + size * 0.65, y + size * 0.5], 1).astype(np.float32)
    image = np.ascontiguousarray(ground[:, int(left) : int(left) + WIDTH])
    order = np.argsort(boxes[:, 3])
    for i in order:
        x0, y0, x1, y1 = boxes[i].astype(int).tolist()
        cv2.rectangle(image, (x0, y0), (x1, y1), coats[i].tolist(), -1)
    for a, b in scene.walls:
        cv2.rectangle(image, (int(a - left), 0), (int(b - left), HEIGHT), (90, 90, 90), -1)
    shown, mix = _visible(boxes, scene, left)
    truth = {int(i): boxes[i] for i in range(len(boxes)) if shown[i] >= 0.25}
    found, scores, looks = [], [], []
    for i in range(len(boxes)):
        if shown[i] < 0.25 or rng.random() < 0.03:
            continue
        sure = float(np.clip(0.15 + 0.8 * shown[i] + rng.normal() * 0.06, 0.05, 0.98))
        if shown[i] < 0.4 and rng.random() < 0.5:
            continue
        jitter = rng.normal(size=4) * size[i] * (0.025 + 0.05 * (1 - shown[i]))
        found.append(boxes[i] + jitter)
        scores.append(sure)
        noise = _unit(rng.normal(size=LOOK))
        own = np.sqrt(scene.steady) * ids[i] + np.sqrt(1 - scene.steady) * noise
        looks.append(_unit(own * shown[i] + (ids[mix[i]] if mix[i] >= 0 else noise) * (1 - shown[i])))
    if rng.random() < 0.04:
        cx, cy = rng.uniform(0, WIDTH), rng.uniform(100, 300)
        found.append(np.array([cx - 40, cy - 30, cx + 40, cy + 30]))
        scores.append(float(rng.uniform(0.1, 0.6)))
        looks.append(_unit(rng.normal(size=LOOK)))
    limit = np.array([WIDTH, HEIGHT, WIDTH, HEIGHT])
    detections = (
        Detections(np.clip(np.array(found), 0, limit).astype(np.float32), np.array(scores, np.float32))
        if found
        else Detections.none()
    )
    frame = Frame("sim", START_US + round(k / scene.fps * 1e6), k, image)
    return Moment(frame, detections, np.array(looks, np.float32).reshape(len(found), LOOK), truth)


def _visible(boxes: Floats, scene: Scene, left: float) -> tuple[Floats, np.ndarray]:
    """Share of each box that is seen, and which nearer horse covers most of it (-1: none)."""
    shared = intersection(boxes, boxes) / np.maximum(area(boxes), 1)[:, None]
    nearer = boxes[None, :, 3] > boxes[:, None, 3]
    shared = np.where(nearer, shared, 0)
    shown = 1 - np.clip(shared.sum(1), 0, 1)
    for a, b in scene.walls:
        wall = np.array([[a - left, 0, b - left, HEIGHT]], np.float32)
        shown = np.minimum(shown, 1 - intersection(boxes, wall)[:, 0] / np.maximum(area(boxes), 1))
    picture = np.array([[0, 0, WIDTH, HEIGHT]], np.float32)
    shown = np.minimum(shown, intersection(boxes, picture)[:, 0] / np.maximum(area(boxes), 1))
    mix = np.where(shared.max(1) > 0, shared.argmax(1), -1) if len(boxes) else np.zeros(0, int)
    return shown.astype(np.float32), mix


SCENES = (
    Scene("crossing", 4, 40, 1, crossing=True),
    Scene("crossing 25 fps", 4, 20, 2, fps=25, crossing=True),
    Scene("herd", 8, 40, 3),
    Scene("herd 25 fps", 8, 20, 4, fps=25),
    Scene("panning", 3, 40, 5, pan=220),
    Scene("panning 25 fps", 3, 20, 6, fps=25, pan=220),
    Scene("behind walls", 3, 60, 7, walls=((1100, 1280),), crossing=True),
)
