"""Brings model, renderer and surveyor together: actors in, a developed picture and its annotations out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from training.synthetic.anatomy import Anatomy
from training.synthetic.geometry import Props
from training.synthetic.looks import Look
from training.synthetic.lying import grounded
from training.synthetic.model import HorseModel, load_horse
from training.synthetic.renderer import SHADOW_SIZE, Patch, Renderer, Uploaded
from training.synthetic.rig import Floats, Pose, blend, skin, skin_matrices
from training.synthetic.truth import HorseTruth, Surveyor
from training.synthetic.view import Camera, Light, PlacedHorse, Rendered

CONTACT_JOINTS = ("FF.L", "FF.R", "FFB.L", "FFB.R")
BODY_JOINTS = (
    "Torso",
    "Torso2",
    "Torso3",
    "Back",
    "Neck3",
    "Head",
    "FrontLowerLeg.L",
    "FrontLowerLeg.R",
    "BackLowerLeg.L",
    "BackLowerLeg.R",
)


@dataclass(frozen=True)
class Actor:
    """A horse in a scene: its look, its pose (already placed), what it does, and the gait with its phase if it moves."""

    look: Look
    pose: Pose
    activity: str
    gait: str | None = None
    phase: float | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class Studio:
    """Model, renderer and surveyor of one process."""

    def __init__(self, data: Path, supersample: float = 2.0, subdivisions: int = 2, shadow_size: int = SHADOW_SIZE) -> None:
        self.model: HorseModel = load_horse(data / "models3d" / "Horse.glb", subdivisions)
        self.anatomy = Anatomy(self.model)
        self.renderer = Renderer(self.model, supersample, shadow_size)
        self.surveyor = Surveyor(self.model, self.anatomy)

    def grounded(self, look: Look, pose: Pose, sink: float = 0.02) -> Pose:
        """The pose resting on the ground for a horse of this build."""
        return grounded(self.model, self.model.rig.scaled(look.build), look.build, pose, sink)

    def clip_pose(self, look: Look, name: str, share: float) -> Pose:
        """The clip at ``share`` 0..1 of its length, for a horse of this build."""
        poses = self.model.clips[name].poses
        at = (share % 1.0) * len(poses)
        first, second = poses[int(at) % len(poses)], poses[(int(at) + 1) % len(poses)]
        pose = blend(first, second, at - int(at))
        return Pose(pose.rotations, pose.shifts * float(look.build.mean()), pose.root, pose.turn)

    def skinning(self, look: Look, pose: Pose) -> Floats:
        """Matrices from the model's rest skin to the scene."""
        return np.asarray(skin_matrices(self.model.rig.scaled(look.build), pose) @ np.diag([*look.build, 1.0]))

    def shoot(
        self,
        camera: Camera,
        light: Light,
        props: Props | Uploaded,
        actors: list[Actor],
        extra: Props | None = None,
        base: Rendered | None = None,
    ) -> tuple[Rendered, list[HorseTruth | None]]:
        """Draw the actors, numbered from 1, and measure each.

        With ``base`` (the empty set) only where something stands is drawn anew.
        """
        matrices = [self.skinning(a.look, a.pose) for a in actors]
        placed = [PlacedHorse(m, a.look, n) for n, (m, a) in enumerate(zip(matrices, actors, strict=True), 1)]
        patch = None
        if base is not None:
            box = self._changed(camera, light, matrices, extra)
            if box is None:
                return base, [None for _ in actors]
            patch = Patch(base, box)
        rendered = self.renderer.draw(camera, light, props, placed, self.contacts(matrices), extra, patch)
        truths = [
            self.surveyor.survey(rendered, camera, m, n, float(a.look.build.mean() / 0.9))
            for n, (m, a) in enumerate(zip(matrices, actors, strict=True), 1)
        ]
        return rendered, truths

    def _changed(
        self, camera: Camera, light: Light, matrices: list[Floats], extra: Props | None
    ) -> tuple[int, int, int, int] | None:
        """The part of the picture that horses, further props and their shadows can touch."""
        coarse = self.model.coarse
        clouds = [skin(coarse.points, coarse.joints, coarse.weights, m) for m in matrices]
        if extra is not None:
            clouds += [rows[:, :3].astype(np.float64) for rows in extra.arrays().values()]
        if not clouds:
            return None
        points = np.concatenate(clouds)
        floor = points * [1.0, 0.0, 1.0]
        spread = [points, *(floor + np.array([dx, 0, dz]) for dx in (-0.6, 0.6) for dz in (-0.6, 0.6))]
        if float(light.sun.max()) > 0:
            cast = points - light.sun_direction * (points[:, 1:2] / max(float(light.sun_direction[1]), 0.05))
            spread.append(cast)
        pixels, depth = camera.project(np.concatenate(spread))
        pixels = pixels[depth > 0.2]
        if not len(pixels):
            return None
        low, high = pixels.min(0) - 8, pixels.max(0) + 8
        x0, y0 = (int(np.clip(v, 0, m) // 4 * 4) for v, m in zip(low, (camera.width, camera.height), strict=True))
        x1, y1 = (int(-(-np.clip(v, 0, m) // 4) * 4) for v, m in zip(high, (camera.width, camera.height), strict=True))
        return (x0, y0, x1, y1) if x1 - x0 >= 8 and y1 - y0 >= 8 else None

    def contacts(self, matrices: list[Floats]) -> Floats:
        """Soft dark spots (n, 4) where hooves and lying bodies are near the ground."""
        rig, spots = self.model.rig, []
        for matrix in matrices:
            for name in CONTACT_JOINTS + BODY_JOINTS:
                joint = rig.index[name]
                at = matrix[joint, :3, :3] @ rig.rest[joint] + matrix[joint, :3, 3]
                size, reach = (0.13, 0.35) if name in CONTACT_JOINTS else (0.42, 0.75)
                strength = 0.75 * float(np.clip(1 - at[1] / reach, 0, 1))
                if strength > 0.05:
                    spots.append((at[0], at[2], size, min(strength, 0.6)))
            middle = matrix[rig.index["Torso2"], :3, :3] @ rig.rest[rig.index["Torso2"]] + matrix[rig.index["Torso2"], :3, 3]
            spots.append((middle[0], middle[2], 0.7, 0.28))
        return np.array(spots).reshape(-1, 4)
