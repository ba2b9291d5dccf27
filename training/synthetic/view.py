"""What is drawn and from where: camera, light, placed horses, and the picture that comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from training.synthetic.looks import Look
from training.synthetic.rig import Floats

Picture = npt.NDArray[np.uint8]
NEAR, FAR = 0.08, 220.0
"""Clipping planes in metres."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera: position and target in metres, vertical field of view in degrees, roll in degrees."""

    position: Floats
    target: Floats
    field_of_view: float
    width: int
    height: int
    roll: float = 0.0

    @cached_property
    def _matrices(self) -> tuple[Floats, Floats]:
        return self.matrices()

    def matrices(self) -> tuple[Floats, Floats]:
        """View (4x4) and projection (4x4) in OpenGL's conventions."""
        forward = self.target - self.position
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 1.0, 0.0])
        right /= np.linalg.norm(right)
        up = np.cross(right, forward)
        c, s = np.cos(np.radians(self.roll)), np.sin(np.radians(self.roll))
        right, up = c * right + s * up, c * up - s * right
        view = np.eye(4)
        view[:3, :3] = np.stack([right, up, -forward])
        view[:3, 3] = -view[:3, :3] @ self.position
        near, far = NEAR, FAR
        f = 1 / np.tan(np.radians(self.field_of_view) / 2)
        projection = np.zeros((4, 4))
        projection[0, 0], projection[1, 1] = f * self.height / self.width, f
        projection[2, 2], projection[2, 3] = (far + near) / (near - far), 2 * far * near / (near - far)
        projection[3, 2] = -1
        return view, projection

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """Pixels (n, 2) and depth in metres along the view axis (n,) of world points (n, 3)."""
        view, projection = self._matrices
        eye = points @ view[:3, :3].T + view[:3, 3]
        depth = -eye[:, 2]
        safe = np.where(np.abs(depth) < 1e-6, 1e-6, depth)
        x = (eye[:, 0] * projection[0, 0] / safe + 1) / 2 * self.width
        y = (1 - eye[:, 1] * projection[1, 1] / safe) / 2 * self.height
        return np.stack([x, y], 1), depth


@dataclass(frozen=True)
class Light:
    """Sun (shadowed), sky and ground fill, one lamp. Colours are linear RGB."""

    sun_direction: Floats
    sun: Floats
    sky: Floats
    ground: Floats
    lamp_position: Floats = field(default_factory=lambda: np.zeros(3))
    lamp: Floats = field(default_factory=lambda: np.zeros(3))
    lamp_axis: Floats = field(default_factory=lambda: np.array([0.0, -1.0, 0.0]))
    lamp_cone: float = -1.0
    fog_colour: Floats = field(default_factory=lambda: np.ones(3))
    fog: float = 0.0
    exposure: float = 1.0
    infrared: bool = False


@dataclass(frozen=True)
class PlacedHorse:
    """A horse in the scene: its skinning matrices (joints, 4, 4) in world space, its look and its number from 1."""

    skinning: Floats
    look: Look
    number: int


@dataclass(frozen=True)
class Rendered:
    """Linear colour (h, w, 3), horse numbers (h, w) and depth in metres (h, w), all at the camera's size."""

    colour: npt.NDArray[np.float32]
    labels: Picture
    depth: npt.NDArray[np.float32]
