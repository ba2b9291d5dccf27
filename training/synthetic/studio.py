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
from training.synthetic.renderer import Camera, Light, PlacedHorse, Rendered, Renderer
from training.synthetic.rig import Floats, Pose, blend, skin_matrices
from training.synthetic.truth import HorseTruth, Surveyor

CONTACT_JOINTS = ("FF.L", "FF.R", "FFB.L", "FFB.R")
BODY_JOINTS = ("Torso", "Torso2", "Torso3", "Back", "Neck3", "Head", "FrontLowerLeg.L", "FrontLowerLeg.R", "BackLowerLeg.L", "BackLowerLeg.R")


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

    def __init__(self, data: Path, supersample: float = 2.0, subdivisions: int = 2) -> None:
        self.model: HorseModel = load_horse(data / "models3d" / "Horse.glb", subdivisions)
        self.anatomy = Anatomy(self.model)
        self.renderer = Renderer(self.model, supersample)
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

    def shoot(self, camera: Camera, light: Light, props: Props, actors: list[Actor]) -> tuple[Rendered, list[HorseTruth | None]]:
        """Draw the actors, numbered from 1, and measure each."""
        matrices = [self.skinning(a.look, a.pose) for a in actors]
        placed = [PlacedHorse(m, a.look, n) for n, (m, a) in enumerate(zip(matrices, actors, strict=True), 1)]
        rendered = self.renderer.draw(camera, light, props, placed, self.contacts(matrices))
        truths = [
            self.surveyor.survey(rendered, camera, m, n, float(a.look.build.mean() / 0.9))
            for n, (m, a) in enumerate(zip(matrices, actors, strict=True), 1)
        ]
        return rendered, truths

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
            spots.append((middle[0], middle[2], 0.85, 0.28))
        return np.array(spots).reshape(-1, 4)
