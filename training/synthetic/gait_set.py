"""Side views of walk, trot and canter, thirty frames a sequence: what "four hooves on four different legs" is measured on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from training.synthetic.effects import develop, random_optics
from training.synthetic.gaits import GAITS, Stride, moving
from training.synthetic.lighting import make_light, sky_tint
from training.synthetic.looks import dressed, random_look
from training.synthetic.parts import CATEGORY, write_json
from training.synthetic.sets import build
from training.synthetic.studio import Actor, Studio
from training.synthetic.truth import annotation
from training.synthetic.view import Camera

FRAMES = 30
FPS = 25


def make_gait_set(studio: Studio, folder: Path, horses: range, width: int = 480, height: int = 360) -> int:
    """One part a horse, with six sequences each (three gaits, both sides); returns how many frames were written."""
    written = 0
    for horse in horses:
        target = folder / f"horse-{horse}"
        if (target / "annotations.json").is_file():
            continue
        target.mkdir(parents=True, exist_ok=True)
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for gait in ("walk", "trot", "canter"):
            for side in (1.0, -1.0):
                _sequence(studio, target, horse, gait, side, width, height, images, annotations)
        write_json(
            target / "annotations.json", {"images": images, "annotations": annotations, "categories": [CATEGORY], "fps": FPS}
        )
        written += len(images)
    return written


def _sequence(
    studio: Studio, target: Path, horse: int, gait: str, side: float, width: int, height: int,
    images: list[dict[str, Any]], annotations: list[dict[str, Any]],
) -> None:  # fmt: skip
    rng = np.random.default_rng([horse, int(side > 0), len(gait)])
    look = dressed(random_look(horse, tack=False), rng)
    rig = studio.model.rig.scaled(look.build)
    kind = "arena" if rng.random() < 0.5 else "paddock"
    light_kind = str(rng.choice(["day", "overcast", "dusk"]))
    place = build(kind, rng, sky_tint(light_kind), blades=800)
    stride = Stride(
        GAITS[gait], float(rng.uniform(0.85, 1.1)), float(rng.uniform(0.85, 1.25)), side > 0, float(rng.uniform(-8, 8))
    )
    speed, seconds, start = stride.speed(rig), stride.seconds(), float(rng.random())
    turn, away = float(rng.normal(0, 0.18)), float(rng.uniform(4.2, 5.5))
    lift = float(rng.uniform(1.1, 2.2))
    light = make_light(light_kind, place.indoors, np.array([5.0, lift, 0]), np.array([0.0, 1, 0]), rng)
    optics = random_optics(light_kind, light.exposure, rng)
    name = f"{gait}-{'left' if side > 0 else 'right'}"
    for frame in range(FRAMES):
        time = frame / FPS
        phase = (start + time / seconds) % 1.0
        at = np.array([0.0, 0.0, speed * (time - FRAMES / FPS / 2)])
        actor = Actor(
            look,
            moving(rig, stride, phase).placed(at, 0.0),
            {"walk": "walking", "trot": "trotting", "canter": "cantering"}[gait],
            gait,
            round(phase, 4),
        )
        target_point = at + np.array([0.0, 1.0 * look.build[1] / 0.9, 0.1])
        camera = Camera(
            target_point + [side * away * np.cos(turn), lift - 1.0, away * np.sin(turn)], target_point, 34, width, height
        )
        rendered, truths = studio.shoot(camera, light, place.props, [actor])
        if truths[0] is None:
            raise RuntimeError(f"{name} of horse {horse}: the horse left the picture at frame {frame}")
        picture = develop(rendered.colour, optics, rng)
        number = len(images)
        file_name = f"{name}-{frame:02d}.jpg"
        cv2.imwrite(str(target / file_name), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
        images.append(
            {
                "id": number,
                "file_name": file_name,
                "width": width,
                "height": height,
                "scene": kind,
                "light": light_kind,
                "sequence": f"{horse}-{name}",
                "frame": frame,
            }
        )
        annotations.append(
            {
                "id": number,
                "image_id": number,
                **annotation(
                    truths[0], identity=look.name, coat=look.coat, activity=actor.activity, gait=gait, phase=actor.phase
                ),
            }
        )
