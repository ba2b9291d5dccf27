"""Where the twenty points of horse-20 lie on the model, so that they sit where AnimalPose's annotators clicked."""

from __future__ import annotations

import numpy as np

from training.synthetic.model import HorseModel
from training.synthetic.rig import Floats

HORSE_20 = (
    "left_eye", "right_eye", "nose", "left_ear", "right_ear", "left_elbow", "right_elbow", "left_stifle", "right_stifle",
    "left_carpus", "right_carpus", "left_hock", "right_hock", "left_front_hoof", "right_front_hoof", "left_hind_hoof",
    "right_hind_hoof", "throat", "withers", "tail_base",
)  # fmt: skip
# Rest position in the model's own metres (left side) and the joint that carries it; None: weights of the nearest skin.
PLACES: dict[str, tuple[tuple[float, float, float], str | None]] = {
    "eye": ((0.133, 2.075, 1.46), "Head"),
    "nose": ((0.0, 1.775, 1.70), "Head"),
    "ear": ((0.118, 2.215, 1.31), "Head"),
    "elbow": ((0.265, 1.10, 0.62), None),
    "stifle": ((0.285, 1.12, -0.47), None),
    "carpus": ((0.225, 0.60, 0.71), None),
    "hock": ((0.215, 0.665, -0.92), None),
    "front_hoof": ((0.21, 0.05, 0.76), "FF.L"),
    "hind_hoof": ((0.209, 0.05, -0.83), "FFB.L"),
    "throat": ((0.0, 1.79, 1.22), None),
    "withers": ((0.0, 1.80, 0.52), None),
    "tail_base": ((0.0, 1.68, -0.85), None),
}
# How far behind the drawn surface a point may lie and still count as seen, in metres for a horse of 1.6 m.
SLACK = {
    "eye": 0.05, "nose": 0.09, "ear": 0.07, "elbow": 0.13, "stifle": 0.12, "carpus": 0.10, "hock": 0.11, "front_hoof": 0.10,
    "hind_hoof": 0.10, "throat": 0.12, "withers": 0.10, "tail_base": 0.11,
}  # fmt: skip


class Anatomy:
    """Positions of the twenty points in any pose of a model."""

    def __init__(self, model: HorseModel) -> None:
        mesh, names = model.fine, model.rig.names
        self._points = np.zeros((len(HORSE_20), 3))
        self._weights = np.zeros((len(HORSE_20), len(names)))
        self.slack = np.zeros(len(HORSE_20))
        for k, point in enumerate(HORSE_20):
            side, _, rest = point.partition("_")
            kind = rest if side in ("left", "right") else point
            place, joint = PLACES[kind]
            at = np.array(place) * ([-1.0, 1.0, 1.0] if side == "right" else [1.0, 1.0, 1.0])
            self._points[k] = at
            self.slack[k] = SLACK[kind]
            if joint is not None:
                self._weights[k, names.index(joint.replace(".L", ".R") if side == "right" else joint)] = 1.0
                continue
            near = np.argsort(np.linalg.norm(mesh.points - at, axis=1))[:12]
            for vertex in near:
                np.add.at(self._weights[k], mesh.joints[vertex], mesh.weights[vertex] / len(near))

    def positions(self, skinning: Floats) -> Floats:
        """World positions (20, 3) under skinning matrices (joints, 4, 4)."""
        mixed = np.einsum("kj,jab->kab", self._weights, skinning[:, :3, :])
        return np.asarray(np.einsum("kab,kb->ka", mixed[:, :, :3], self._points) + mixed[:, :, 3])
