"""Pictures for training: random places, light, cameras, horses and things in front, written in parts with COCO annotations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from training.synthetic.effects import develop, random_optics
from training.synthetic.gaits import GAITS, Stride, moving, standing
from training.synthetic.geometry import Props, person
from training.synthetic.lighting import LIGHTS, make_light, sky_tint
from training.synthetic.looks import Look, dressed, random_look
from training.synthetic.lying import crouching, flank_look, flat, grazing, kneeling, on_back, sitting, sternal
from training.synthetic.renderer import Uploaded
from training.synthetic.rig import Floats, Pose, bend, blend
from training.synthetic.sets import Place, bars, build
from training.synthetic.studio import Actor, Studio
from training.synthetic.truth import annotation
from training.synthetic.view import Camera

# Shares of what horses do in each place.
ACTIVITIES: dict[str, dict[str, float]] = {
    "stall": {
        "standing": 3,
        "grazing": 1.5,
        "looking_at_flank": 1.2,
        "lying": 2.2,
        "lying_flat": 1.8,
        "rolling": 0.8,
        "rising": 1.0,
        "lying_down": 1.0,
        "walking": 1,
    },
    "paddock": {
        "standing": 2,
        "grazing": 3,
        "walking": 2.2,
        "trotting": 1.6,
        "cantering": 1.2,
        "galloping": 1,
        "lying": 1,
        "lying_flat": 1,
        "rolling": 0.6,
        "rising": 0.5,
    },
    "arena": {
        "standing": 1,
        "walking": 2.5,
        "trotting": 3,
        "cantering": 2.5,
        "galloping": 0.6,
        "rolling": 0.3,
        "lying_flat": 0.2,
    },
    "aisle": {"standing": 3, "walking": 3, "looking_at_flank": 0.4, "trotting": 0.3},
}
PICTURES_A_PLACE = 5
GAIT_OF = {"walking": "walk", "trotting": "trot", "cantering": "canter", "galloping": "gallop"}
LIGHT_SHARES: dict[str, tuple[float, ...]] = {
    "stall": (2.0, 1.5, 0.6, 1.6, 4.0),
    "paddock": (4, 2.5, 1.6, 0.1, 1.2),
    "arena": (3, 2, 1, 1.4, 1.0),
    "aisle": (2, 1.5, 0.5, 2, 2),
}


def random_pose(studio: Studio, look: Look, activity: str, rng: np.random.Generator) -> tuple[Pose, str | None, float | None]:
    """A pose of the activity at the origin facing +z, with gait and phase where it moves."""
    rig = studio.model.rig.scaled(look.build)
    side = float(rng.choice([-1.0, 1.0]))
    if activity in GAIT_OF:
        gait = GAIT_OF[activity]
        phase = float(rng.random())
        if gait in ("walk", "gallop") and rng.random() < 0.3:
            pose = studio.clip_pose(look, "Walk" if gait == "walk" else "Gallop", phase)
            pose = studio.grounded(look, pose) if gait == "walk" else pose
            return _jittered(rig, pose, rng, 0.8), gait, None
        stride = Stride(
            GAITS[gait],
            float(rng.uniform(0.75, 1.12)),
            float(rng.uniform(0.7, 1.4)),
            bool(rng.random() < 0.5),
            float(rng.uniform(-14, 16)),
        )
        return _jittered(rig, moving(rig, stride, phase), rng, 0.7), gait, phase
    if activity == "grazing":
        if rng.random() < 0.4:
            return (
                studio.grounded(look, _jittered(rig, studio.clip_pose(look, "Eating", float(rng.random())), rng, 0.6)),
                None,
                None,
            )
        base = standing(rig, float(rng.uniform(-0.05, 0.05)), float(rng.uniform(-0.12, 0.12)))
        return _jittered(rig, grazing(rig, float(rng.uniform(0.7, 1.0)), base), rng, 0.5), None, None
    if activity == "standing":
        if rng.random() < 0.35:
            clip = str(rng.choice(["Idle", "Idle_2", "Idle_Headlow"]))
            return studio.grounded(look, _jittered(rig, studio.clip_pose(look, clip, float(rng.random())), rng)), None, None
        leg = str(rng.choice(["LH", "RH"])) if rng.random() < 0.35 else None
        base = standing(rig, float(rng.uniform(-0.06, 0.06)), float(rng.uniform(-0.1, 0.1)), leg)
        low = float(rng.uniform(-0.1, 0.6))
        return _jittered(rig, grazing(rig, low, base), rng), None, None
    if activity == "looking_at_flank":
        return _jittered(rig, flank_look(rig, side, float(rng.uniform(0.6, 1.0))), rng, 0.5), None, None
    if activity == "lying":
        pose = sternal(rig, side, float(rng.choice([0.0, rng.uniform(0, 1)])))
        if rng.random() < 0.2:
            pose = flank_look(rig, float(rng.choice([-1, 1])), float(rng.uniform(0.4, 0.9)), pose)
    elif activity == "lying_flat":
        pose = flat(rig, side, float(rng.uniform(0, 1)))
        if rng.random() < 0.25:
            pose = blend(pose, sternal(rig, side, 0.5), float(rng.uniform(0.05, 0.3)))
    elif activity == "rolling":
        pose = on_back(rig, side * float(rng.uniform(100, 240)), float(rng.uniform(-1, 1)))
    elif activity == "rising":
        share = float(rng.uniform(0.1, 1.0))
        pose = (
            blend(sternal(rig, side, 0), sitting(rig), share)
            if rng.random() < 0.65
            else blend(sitting(rig), standing(rig), share * 0.7)
        )
    else:
        first, second = (standing(rig), crouching(rig)), (crouching(rig), kneeling(rig))
        a, b = [first, second, (kneeling(rig), sternal(rig, side))][int(rng.integers(3))]
        pose = blend(a, b, float(rng.uniform(0.2, 1.0)))
    return studio.grounded(look, _jittered(rig, pose, rng), float(rng.uniform(0.01, 0.05))), None, None


def _jittered(rig: Any, pose: Pose, rng: np.random.Generator, amount: float = 1.0) -> Pose:
    """Small differences in how neck, head, ears and tail are carried."""
    yaw, nod = rng.normal(0, 7, 4) * amount, rng.normal(0, 5, 4) * amount
    ears = rng.normal(0, 22, 2)
    return bend(
        rig,
        pose,
        {
            "Neck1": (nod[0], yaw[0], 0),
            "Neck2": (nod[1], yaw[1], 0),
            "Neck3": (0, yaw[2], 0),
            "Head": (nod[2] * 1.4, yaw[3], rng.normal(0, 4) * amount),
            "Ear1.L": (0, ears[0], 0),
            "Ear1.R": (0, ears[1], 0),
            "Torso2": (0, rng.normal(0, 3) * amount, 0),
            "Tail2": (0, 0, rng.normal(0, 10)),
            "Tail4": (rng.normal(0, 8), 0, rng.normal(0, 8)),
        },
    )


def draw(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    """One of the names, each as likely as its share."""
    weights = np.array(list(shares.values()))
    return list(shares)[int(rng.choice(len(weights), p=weights / weights.sum()))]


class StillMaker:
    """Makes one picture a seed."""

    light_shares: ClassVar = LIGHT_SHARES
    places: Mapping[str, float] = MappingProxyType({"stall": 3, "paddock": 3, "arena": 2, "aisle": 1.3})
    """Share of each place."""

    def __init__(self, studio: Studio, width: int, height: int, identities: range) -> None:
        self.studio, self.width, self.height, self.identities = studio, width, height, identities
        self._built: tuple[int, Place, Uploaded, str] | None = None

    def _place(self, number: int) -> tuple[Place, Uploaded, str]:
        """The place and light of a run of seeds; kept while the run lasts, since building one costs more than drawing it."""
        if self._built is None or self._built[0] != number:
            rng = np.random.default_rng([number, 4])
            kind = draw(rng, self.places)
            shares = self.light_shares[kind]
            light = LIGHTS[int(rng.choice(len(LIGHTS), p=np.array(shares) / sum(shares)))]
            if self._built is not None:
                self._built[2].release()
            place = build(kind, rng, sky_tint(light), blades=int(rng.integers(600, 2600)))
            self._built = (number, place, self.studio.renderer.upload(place.props), light)
        return self._built[1:]

    def make(self, seed: int) -> tuple[np.ndarray, dict[str, Any], list[dict[str, Any]]]:
        """BGR picture, image fields, annotations."""
        rng = np.random.default_rng([seed, 3])
        place, uploaded, light_kind = self._place(seed // PICTURES_A_PLACE)
        kind = place.kind
        actors, riders = self._actors(place, rng)
        target = self._target(actors, rng)
        camera, view = self._camera(place, actors, target, rng)
        light = make_light(light_kind, place.indoors, camera.position, camera.target, rng)
        extra = riders.joined(self._in_front(camera, rng))
        rendered, truths = self.studio.shoot(camera, light, uploaded, actors, extra)
        optics = random_optics(light_kind, light.exposure, rng)
        picture = develop(rendered.colour, optics, rng)
        annotations = []
        for actor, truth in zip(actors, truths, strict=True):
            if truth is None or truth.mask.sum() < 60 or truth.hidden > 0.93:
                continue
            annotations.append(
                annotation(
                    truth,
                    identity=actor.look.name,
                    coat=actor.look.coat,
                    activity=actor.activity,
                    gait=actor.gait,
                    phase=actor.phase,
                    **actor.extra,
                )
            )
        return (
            picture,
            {
                "width": self.width,
                "height": self.height,
                "scene": kind,
                "light": light_kind,
                "camera": view,
                "seed": seed,
                "horses": len(actors),
            },
            annotations,
        )

    def _actors(self, place: Place, rng: np.random.Generator) -> tuple[list[Actor], Props]:
        counts = {
            "stall": (0.04, 0.86, 0.10),
            "paddock": (0.05, 0.40, 0.28, 0.15, 0.12),
            "arena": (0.05, 0.6, 0.25, 0.10),
            "aisle": (0.12, 0.68, 0.20),
        }[place.kind]
        count = int(rng.choice(len(counts), p=counts))
        actors: list[Actor] = []
        props = Props()
        spots: list[Floats] = []
        for _ in range(count):
            look = dressed(random_look(int(rng.integers(self.identities.start, self.identities.stop)), tack=False), rng)
            activity = draw(rng, ACTIVITIES[place.kind])
            ridden = place.kind == "arena" and activity in GAIT_OF and rng.random() < 0.45
            if ridden:
                look = dressed(look.plain(), rng, ridden=True)
            if activity in ("rolling", "lying_flat", "lying"):
                look = replace(look, rug=look.rug if rng.random() < 0.5 else None)
            pose, gait, phase = random_pose(self.studio, look, activity, rng)
            for _try in range(12):
                at = np.array([rng.uniform(-1, 1) * place.floor[0], 0.0, rng.uniform(-1, 1) * place.floor[1]])
                if all(np.linalg.norm(at - other) > 1.5 for other in spots):
                    break
            else:
                continue
            heading = float(rng.uniform(0, 2 * np.pi))
            if place.kind == "aisle":
                heading = (
                    float(rng.choice([0.0, np.pi]) + rng.normal(0, 0.2))
                    if rng.random() < 0.75
                    else float(np.pi / 2 * rng.choice([-1, 1]))
                )
            spots.append(at)
            placed = pose.placed(at, heading)
            actors.append(Actor(look, placed, activity, gait, phase, {"ridden": bool(ridden)}))
            if ridden:
                matrix = self.studio.skinning(look, placed)[self.studio.model.rig.index["Torso2"]]
                seat = matrix[:3, :3] @ np.array([0.0, 1.80, 0.22]) + matrix[:3, 3]
                person(
                    props,
                    seat,
                    heading,
                    0.0,
                    rng.uniform(0.01, 0.4, 3),
                    np.array([0.42, 0.26, 0.18]) * rng.uniform(0.3, 1.2),
                    float(rng.uniform(1.5, 1.8)),
                    seated=True,
                )
        return actors, props

    def _target(self, actors: list[Actor], rng: np.random.Generator) -> Floats:
        if not actors:
            return np.array([rng.uniform(-1, 1), rng.uniform(0.2, 1.2), rng.uniform(-1, 1)])
        actor = actors[int(rng.integers(len(actors)))]
        joint = self.studio.skinning(actor.look, actor.pose)[self.studio.model.rig.index["Torso2"]]
        middle = joint[:3, :3] @ np.array([0.0, 1.25, 0.2]) + joint[:3, 3]
        if len(actors) > 1 and rng.random() < 0.5:
            other = actors[int(rng.integers(len(actors)))]
            middle = (middle + other.pose.root * [1, 0, 1] + [0, middle[1], 0]) / 2 if other is not actor else middle
        return np.asarray(middle + rng.normal(0, 0.22, 3) * [1, 0.7, 1])

    def _camera(self, place: Place, actors: list[Actor], target: Floats, rng: np.random.Generator) -> tuple[Camera, str]:
        reach = {"stall": (1.9, 3.0), "aisle": (2.6, 9.0), "paddock": (3.0, 22.0), "arena": (3.0, 18.0)}[place.kind]
        views = (
            {"corner": 3.0, "eye": 2.5, "high": 1.2, "low": 0.6}
            if place.kind != "paddock"
            else {"corner": 1.5, "eye": 3.5, "high": 0.5, "low": 0.8}
        )
        view = draw(rng, views)
        height = {
            "corner": rng.uniform(2.1, 2.75),
            "eye": rng.uniform(1.2, 1.9),
            "high": rng.uniform(2.7, 2.95) if place.indoors else rng.uniform(3, 6),
            "low": rng.uniform(0.4, 0.9),
        }[view]
        distance = float(np.exp(rng.uniform(np.log(reach[0]), np.log(reach[1]))))
        if view == "high":
            distance *= 0.6
        side_on = bool(actors) and rng.random() < 0.35
        azimuth = float(rng.uniform(0, 2 * np.pi))
        if side_on:
            forward = actors[0].pose.turn @ np.array([0.0, 0, 1.0])
            azimuth = float(np.arctan2(forward[2], forward[0]) + rng.choice([-1, 1]) * np.pi / 2 + rng.normal(0, 0.22))
        if place.kind == "aisle":
            azimuth = float(np.pi / 2 * rng.choice([-1, 1]) + rng.normal(0, 0.1))
        at = target + np.array([np.cos(azimuth) * distance, 0, np.sin(azimuth) * distance])
        at[1] = height
        if place.kind in ("stall", "aisle"):
            # Inside the walls, as a stable's camera is; a stall's may also look in over the door.
            half = (
                place.floor[0] + (0.82 if place.kind == "stall" else 0.68),
                place.floor[1] + 0.82 if place.kind == "stall" else place.floor[1] * 1.5,
            )
            at[0], at[2] = np.clip(at[0], -half[0], half[0]), np.clip(at[2], -half[1], half[1])
        distance = float(np.linalg.norm(at - target))
        if distance < 1.3:
            at = target + (at - target) * 1.3 / max(distance, 0.2)
            at[1] = max(at[1], 0.4)
            distance = 1.3
        extent = float(np.exp(rng.uniform(np.log(0.22), np.log(1.15))))
        field = float(np.degrees(2 * np.arctan(1.0 / (extent * distance))))
        limits = (70, 105) if place.kind == "stall" and distance < 3 and rng.random() < 0.6 else (16, 82)
        return Camera(at, target, float(np.clip(field, *limits)), self.width, self.height, float(rng.normal(0, 1.5))), view

    def _in_front(self, camera: Camera, rng: np.random.Generator) -> Props:
        """Bars, a half door, rails, a post or a person between the camera and the horses."""
        props = Props()
        to_target = camera.target - camera.position
        flat_way = to_target * [1, 0, 1]
        gap = float(np.linalg.norm(flat_way))
        if gap < 0.9 or rng.random() > 0.34:
            return props
        way = flat_way / gap
        across = np.cross(way, [0, 1.0, 0])
        what = draw(rng, {"bars": 2.2, "door": 1.2, "rails": 1.2, "post": 0.8, "person": 1.0})
        if what == "bars":
            middle = camera.position * [1, 0, 1] + way * min(rng.uniform(0.45, 1.2), gap * 0.6)
            colour = np.full(3, rng.uniform(0.01, 0.3))
            bars(
                props,
                middle - across * 1.6,
                middle + across * 1.6,
                max(camera.position[1] - 1.2, 0),
                camera.position[1] + 0.9,
                float(rng.uniform(0.09, 0.2)),
                colour,
                float(rng.uniform(0.006, 0.012)),
            )
        elif what == "door":
            middle = camera.position * [1, 0, 1] + way * gap * rng.uniform(0.4, 0.65)
            props.box(
                "wood",
                middle + [0, 0.55, 0],
                np.array([rng.uniform(0.5, 1.2), 0.55, 0.03]),
                np.full(3, rng.uniform(0.3, 1.0)),
                turn=float(np.arctan2(across[2], across[0]) * -1),
            )
        elif what == "rails":
            middle = camera.position * [1, 0, 1] + way * gap * rng.uniform(0.35, 0.7)
            for height in (0.5, 0.85, 1.2):
                props.tube(
                    "wood",
                    middle - across * 5 + [0, height, 0],
                    middle + across * 5 + [0, height, 0],
                    float(rng.uniform(0.03, 0.06)),
                    np.full(3, rng.uniform(0.4, 1.3)),
                )
        elif what == "post":
            at = camera.position * [1, 0, 1] + way * gap * rng.uniform(0.4, 0.8) + across * rng.normal(0, 0.4)
            props.box("wood", at + [0, 1.5, 0], np.array([0.08, 1.5, 0.08]), np.full(3, rng.uniform(0.3, 1.0)))
        else:
            at = camera.position * [1, 0, 1] + way * gap * rng.uniform(0.5, 1.1) + across * rng.normal(0, 0.8)
            person(
                props,
                at,
                float(rng.uniform(0, 6.28)),
                float(rng.random()),
                rng.uniform(0.01, 0.4, 3),
                np.array([0.42, 0.26, 0.18]) * rng.uniform(0.3, 1.2),
            )
        return props
