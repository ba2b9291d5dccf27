"""The rigged horse: read from glTF, welded, rounded by Loop subdivision, its leg chains joined up, its clips resampled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pygltflib  # type: ignore[import-untyped]
from scipy.spatial.transform import Rotation

from training.synthetic.rig import Floats, Pose, Rig, rest_pose

Ints = npt.NDArray[np.int32]

METRES_PER_UNIT = 0.5
REGIONS = ("Main", "Hair", "Main_Dark", "Muzzle", "Hooves", "Main_Light", "Eye_Black", "Eye_White")
# The file animates feet by inverse kinematics, as bones of their own; as children of the leg every pose is plain forward
# kinematics.
FOOT_PARENTS = {
    "IKFrontLeg.L": "FrontLowerLeg.L",
    "IKFrontLeg.R": "FrontLowerLeg.R",
    "IKBackLeg.L": "BackLowerLeg.L",
    "IKBackLeg.R": "BackLowerLeg.R",
}
COMPONENT = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTH = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


@dataclass(frozen=True)
class Mesh:
    """A skinned surface.

    Rest points (n, 3) in metres, faces (m, 3), 4 joints and weights a point, region shares (n, regions).
    """

    points: Floats
    faces: Ints
    joints: Ints
    weights: Floats
    regions: Floats

    def normals(self) -> Floats:
        """Unit normals (n, 3), area-weighted."""
        corner = self.points[self.faces]
        face = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        out = np.zeros_like(self.points)
        for k in range(3):
            np.add.at(out, self.faces[:, k], face)
        return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12))


@dataclass(frozen=True)
class Clip:
    """One animation of the file as poses at a steady rate."""

    name: str
    seconds: float
    poses: tuple[Pose, ...]


@dataclass(frozen=True)
class HorseModel:
    """Rig, coarse mesh (for boxes and ground contact), middle (for shadows), fine (for drawing), and clips by short name."""

    rig: Rig
    coarse: Mesh
    middle: Mesh
    fine: Mesh
    clips: dict[str, Clip]


def load_horse(path: Path, subdivisions: int = 2) -> HorseModel:
    """Read a Quaternius horse.

    Raises:
        FileNotFoundError: no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no horse model at {path}: pass --data with the folder that holds models3d/Horse.glb")
    document = pygltflib.GLTF2().load(str(path))
    reader = _Reader(document)
    nodes = document.nodes
    names = [node.name for node in nodes]
    armature = reader.rest_matrices()[names.index("AnimalArmature")]
    kept, parents, rest, inverse_bind = _skeleton(reader, armature)
    rig = Rig(tuple(names[j] for j in kept), tuple(parents), rest)
    coarse = _weld(reader, armature, {j: i for i, j in enumerate(kept)})
    levels = [coarse]
    for _ in range(subdivisions):
        levels.append(_loop_subdivide(levels[-1]))
    clips = {}
    for animation in document.animations:
        clip = _resample(reader, animation, rig, kept, inverse_bind)
        clips[clip.name] = clip
    return HorseModel(rig, coarse, levels[min(1, subdivisions)], levels[-1], clips)


class _Reader:
    """Typed arrays out of a binary glTF."""

    def __init__(self, document: pygltflib.GLTF2) -> None:
        self.document = document
        self.blob: bytes = document.binary_blob()

    def array(self, accessor: int) -> npt.NDArray[np.float64]:
        a = self.document.accessors[accessor]
        view = self.document.bufferViews[a.bufferView]
        dtype, width = np.dtype(COMPONENT[a.componentType]), WIDTH[a.type]
        start, item = (view.byteOffset or 0) + (a.byteOffset or 0), width * dtype.itemsize
        stride = view.byteStride or item
        raw = np.frombuffer(self.blob, np.uint8, stride * (a.count - 1) + item, start)
        rows = np.lib.stride_tricks.as_strided(raw, (a.count, item), (stride, 1))
        return np.ascontiguousarray(rows).view(dtype).reshape(a.count, width).astype(np.float64)

    def rest_matrices(self) -> list[Floats]:
        nodes = self.document.nodes
        return self.matrices(
            np.array([n.translation or [0, 0, 0] for n in nodes], float),
            np.array([n.rotation or [0, 0, 0, 1] for n in nodes], float),
            np.array([n.scale or [1, 1, 1] for n in nodes], float),
        )

    def matrices(self, translation: Floats, rotation: Floats, scale: Floats) -> list[Floats]:
        """World matrices of all nodes for given local parts."""
        nodes = self.document.nodes
        local = np.zeros((len(nodes), 4, 4))
        local[:, :3, :3] = Rotation.from_quat(rotation).as_matrix() * scale[:, None, :]
        local[:, :3, 3] = translation
        local[:, 3, 3] = 1
        world = [np.eye(4)] * len(nodes)
        stack = [(0, np.eye(4))]
        while stack:
            node, above = stack.pop()
            world[node] = above @ local[node]
            stack += [(child, world[node]) for child in nodes[node].children]
        return world


def _skeleton(reader: _Reader, armature: Floats) -> tuple[list[int], list[int], Floats, list[Floats]]:
    nodes, skin = reader.document.nodes, reader.document.skins[0]
    names = [node.name for node in nodes]
    inverse = reader.array(skin.inverseBindMatrices).reshape(-1, 4, 4).transpose(0, 2, 1)
    bind = {joint: inverse[k] for k, joint in enumerate(skin.joints)}
    above = {child: i for i, node in enumerate(nodes) for child in node.children}
    kept: list[int] = []
    pending = [j for j in skin.joints if not names[j].startswith("PoleTarget")]
    while pending:
        for joint in pending:
            parent = names.index(FOOT_PARENTS[names[joint]]) if names[joint] in FOOT_PARENTS else above[joint]
            if names[joint] == "Body" or parent in kept:
                kept.append(joint)
                pending.remove(joint)
                break
        else:
            raise ValueError("the model's joints do not form one tree")
    parents = []
    for joint in kept:
        parent = names.index(FOOT_PARENTS[names[joint]]) if names[joint] in FOOT_PARENTS else above[joint]
        parents.append(kept.index(parent) if parent in kept else -1)
    to_rest = [armature @ np.linalg.inv(bind[j]) for j in kept]
    rest = np.array([m[:3, 3] for m in to_rest]) * METRES_PER_UNIT
    return kept, parents, rest, [bind[j] @ np.linalg.inv(armature) for j in kept]


def _weld(reader: _Reader, armature: Floats, slot: dict[int, int]) -> Mesh:
    document = reader.document
    joint_of = np.array([slot.get(j, 0) for j in document.skins[0].joints], np.int32)
    points, faces, joints, weights, face_region = [], [], [], [], []
    offset = 0
    for primitive in document.meshes[0].primitives:
        position = reader.array(primitive.attributes.POSITION)
        index = reader.array(primitive.indices).astype(np.int64).reshape(-1, 3)
        points.append(position)
        faces.append(index + offset)
        joints.append(joint_of[reader.array(primitive.attributes.JOINTS_0).astype(int)])
        weights.append(reader.array(primitive.attributes.WEIGHTS_0))
        face_region += [REGIONS.index(document.materials[primitive.material].name)] * len(index)
        offset += len(position)
    flat = np.concatenate(points)
    keys = np.round(flat * 1e6).astype(np.int64)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    welded_faces = inverse.ravel()[np.concatenate(faces)].astype(np.int32)
    world = flat[first] @ armature[:3, :3].T + armature[:3, 3]
    shares = np.zeros((len(first), len(REGIONS)))
    for k in range(3):
        np.add.at(shares, (welded_faces[:, k], np.array(face_region)), 1.0)
    shares /= np.maximum(shares.sum(1, keepdims=True), 1)
    weight = np.concatenate(weights)[first]
    weight = weight / np.maximum(weight.sum(1, keepdims=True), 1e-9)
    return Mesh(world * METRES_PER_UNIT, welded_faces, np.concatenate(joints)[first], weight, shares)


def _loop_subdivide(mesh: Mesh) -> Mesh:
    """One step of Loop's scheme (C. Loop, 1987) on points; joints and regions are carried along linearly."""
    count = len(mesh.points)
    faces = mesh.faces
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    opposite = np.concatenate([faces[:, 2], faces[:, 0], faces[:, 1]])
    unique, inverse = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True)
    inverse = inverse.ravel()
    wings = np.zeros((len(unique), 3))
    np.add.at(wings, inverse, mesh.points[opposite])
    degree = np.bincount(inverse, minlength=len(unique))
    middle = (mesh.points[unique[:, 0]] + mesh.points[unique[:, 1]]) / 2
    smooth = 0.75 * middle + 0.125 * wings
    odd = np.where((degree == 2)[:, None], smooth, middle)
    neighbours = np.zeros_like(mesh.points)
    valence = np.bincount(unique.ravel(), minlength=count).astype(float)
    np.add.at(neighbours, unique[:, 0], mesh.points[unique[:, 1]])
    np.add.at(neighbours, unique[:, 1], mesh.points[unique[:, 0]])
    n = np.maximum(valence, 1)
    beta = (0.625 - (0.375 + 0.25 * np.cos(2 * np.pi / n)) ** 2) / n
    even = mesh.points * (1 - n * beta)[:, None] + neighbours * beta[:, None]
    mids = (count + inverse).reshape(3, -1)
    split = np.concatenate(
        [
            np.stack([faces[:, 0], mids[0], mids[2]], 1),
            np.stack([faces[:, 1], mids[1], mids[0]], 1),
            np.stack([faces[:, 2], mids[2], mids[1]], 1),
            np.stack([mids[0], mids[1], mids[2]], 1),
        ]
    ).astype(np.int32)
    top = int(mesh.joints.max()) + 1
    dense = np.zeros((count, top))
    np.add.at(dense, (np.arange(count)[:, None], mesh.joints), mesh.weights)
    dense = np.concatenate([dense, (dense[unique[:, 0]] + dense[unique[:, 1]]) / 2])
    joints = np.argsort(-dense, axis=1)[:, :4].astype(np.int32)
    weights = np.take_along_axis(dense, joints, 1)
    weights /= weights.sum(1, keepdims=True)
    regions = np.concatenate([mesh.regions, (mesh.regions[unique[:, 0]] + mesh.regions[unique[:, 1]]) / 2])
    return Mesh(np.concatenate([even, odd]), split, joints, weights, regions)


def _resample(reader: _Reader, animation: pygltflib.Animation, rig: Rig, kept: list[int], to_joint: list[Floats]) -> Clip:
    nodes = reader.document.nodes
    base_t = np.array([n.translation or [0, 0, 0] for n in nodes], float)
    base_r = np.array([n.rotation or [0, 0, 0, 1] for n in nodes], float)
    base_s = np.array([n.scale or [1, 1, 1] for n in nodes], float)
    tracks = []
    for channel in animation.channels:
        sampler = animation.samplers[channel.sampler]
        tracks.append(
            (channel.target.node, channel.target.path, reader.array(sampler.input)[:, 0], reader.array(sampler.output))
        )
    seconds = max(float(track[2][-1]) for track in tracks)
    poses = []
    for time in np.arange(0, seconds, 1 / 24):
        t, r, s = base_t.copy(), base_r.copy(), base_s.copy()
        for node, path, times, values in tracks:
            after = int(np.clip(np.searchsorted(times, time), 1, len(times) - 1)) if len(times) > 1 else 0
            before = max(after - 1, 0)
            gap = times[after] - times[before]
            share = float(np.clip((time - times[before]) / gap, 0, 1)) if gap > 0 else 0.0
            second = values[after]
            if path == "rotation" and float(np.dot(values[before], second)) < 0:
                second = -second
            target = {"translation": t, "rotation": r, "scale": s}[path]
            target[node] = values[before] * (1 - share) + second * share
        world = reader.matrices(t, r / np.linalg.norm(r, axis=1, keepdims=True), s)
        poses.append(_local_pose(rig, [world[j] @ m for j, m in zip(kept, to_joint, strict=True)]))
    return Clip(animation.name.split("|")[-1], seconds, tuple(poses))


def _local_pose(rig: Rig, skinning: list[Floats]) -> Pose:
    """Local rotations and shifts from skinning matrices in the file's units."""
    pose = rest_pose(rig)
    turns, places = [], []
    for joint, matrix in enumerate(skinning):
        u, _, vt = np.linalg.svd(matrix[:3, :3])
        turns.append(u @ vt)
        places.append(matrix[:3, :3] @ rig.rest[joint] + matrix[:3, 3] * METRES_PER_UNIT)
    rotations, shifts = pose.rotations.copy(), pose.shifts.copy()
    for joint, parent in enumerate(rig.parents):
        up = turns[parent] if parent >= 0 else np.eye(3)
        rotations[joint] = Rotation.from_matrix(up.T @ turns[joint]).as_quat()
        offset = rig.rest[joint] - rig.rest[parent] if parent >= 0 else rig.rest[joint]
        base = places[parent] if parent >= 0 else np.zeros(3)
        shifts[joint] = up.T @ (places[joint] - base) - offset
    return Pose(rotations, shifts, pose.root, pose.turn)
