"""Light of a scene: day, overcast, dusk, a lit stable at night, and infra-red from a lamp at the camera."""

from __future__ import annotations

import numpy as np

from training.synthetic.rig import Floats
from training.synthetic.view import Light

LIGHTS = ("day", "overcast", "dusk", "lamp", "infrared")


def sky_tint(kind: str) -> Floats:
    """How bright the sky's picture is under a light."""
    tints = {
        "day": (1.0, 1.0, 1.0),
        "overcast": (0.85, 0.83, 0.8),
        "dusk": (0.34, 0.24, 0.22),
        "lamp": (0.012, 0.014, 0.02),
        "infrared": (0.004, 0.004, 0.004),
    }
    return np.array(tints[kind])


def make_light(kind: str, indoors: bool, camera: Floats, target: Floats, rng: np.random.Generator) -> Light:
    """A light of ``kind`` drawn at random; the infra-red lamp sits beside the camera.

    Raises:
        ValueError: no such kind.
    """
    azimuth, elevation = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(22, 65))
    if kind == "dusk":
        elevation = np.radians(rng.uniform(5, 16))
    sun = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(elevation), np.sin(azimuth) * np.cos(elevation)])
    warm = np.array([1.0, rng.uniform(0.88, 0.98), rng.uniform(0.72, 0.95)])
    cool = np.array([rng.uniform(0.75, 1.0), rng.uniform(0.88, 1.0), 1.0])
    aim = (target - camera) / np.linalg.norm(target - camera)
    if kind == "day":
        strength, fill = (
            (rng.uniform(0.5, 1.2), rng.uniform(0.35, 0.7)) if indoors else (rng.uniform(1.4, 2.4), rng.uniform(0.4, 0.7))
        )
        return Light(
            sun,
            strength * warm,
            fill * cool,
            fill * 0.45 * warm,
            fog_colour=np.array([0.62, 0.68, 0.75]),
            fog=0.0 if indoors else 0.004,
            exposure=rng.uniform(0.8, 1.25),
        )
    if kind == "overcast":
        fill = rng.uniform(0.7, 1.1)
        sun[1] = abs(sun[1]) + 1.0
        sun /= np.linalg.norm(sun)
        return Light(
            sun,
            0.35 * cool,
            fill * cool,
            fill * 0.4 * warm,
            fog_colour=np.array([0.66, 0.68, 0.7]),
            fog=0.0045 if not indoors else 0.0,
            exposure=rng.uniform(0.8, 1.2),
        )
    if kind == "dusk":
        return Light(
            sun,
            rng.uniform(0.25, 0.8) * np.array([1.0, 0.55, 0.28]),
            rng.uniform(0.08, 0.2) * np.array([0.8, 0.85, 1.2]),
            0.05 * warm,
            fog_colour=np.array([0.24, 0.18, 0.18]),
            fog=0.006 if not indoors else 0.0,
            exposure=rng.uniform(1.2, 2.4),
        )
    if kind == "lamp":
        bulb = np.array([rng.uniform(-1.2, 1.2), rng.uniform(2.5, 3.0) if indoors else 5.0, rng.uniform(-1.2, 1.2)])
        glow = np.array([1.0, rng.uniform(0.7, 0.95), rng.uniform(0.42, 0.85)])
        return Light(
            np.array([0.05, 1.0, 0.08]) / np.linalg.norm([0.05, 1.0, 0.08]),
            rng.uniform(0.1, 0.4) * glow,
            0.07 * glow,
            0.05 * glow,
            lamp_position=bulb,
            lamp=rng.uniform(1.0, 2.2) * glow,
            fog_colour=np.full(3, 0.01),
            exposure=rng.uniform(0.9, 1.7),
        )
    if kind == "infrared":
        fill = rng.uniform(0.012, 0.05)
        side = np.cross(aim, [0, 1.0, 0]) * 0.05
        return Light(
            np.array([0.0, 1.0, 0.0]),
            np.zeros(3),
            np.full(3, fill),
            np.full(3, fill),
            lamp_position=camera + side,
            lamp=np.full(3, rng.uniform(1.1, 2.4)),
            lamp_axis=aim,
            lamp_cone=float(np.cos(np.radians(rng.uniform(48, 75)))),
            fog_colour=np.full(3, 0.004),
            exposure=rng.uniform(0.9, 1.6),
            infrared=True,
        )
    raise ValueError(f"no light called {kind!r}: choose one of {', '.join(LIGHTS)}")
