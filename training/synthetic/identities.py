"""Pictures for the appearance network: one horse a picture, close, and every identity in many poses, places and lights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from training.synthetic.effects import develop, random_optics
from training.synthetic.lighting import make_light
from training.synthetic.looks import Look, dressed, random_look
from training.synthetic.renderer import Uploaded
from training.synthetic.rig import Floats, Pose, skin
from training.synthetic.sets import Place
from training.synthetic.stills import ACTIVITIES, GAIT_OF, LIGHT_SHARES, StillMaker, draw, random_pose
from training.synthetic.studio import Actor, Studio
from training.synthetic.truth import annotation
from training.synthetic.view import Camera

FILL = (0.72, 1.12)
"""Share of the picture that the horse's box spans in its longer direction; above 1 the border cuts it."""

STREAKS_AT = 256
"""Width of a close picture, in pixels, that the optics' lengths of streaks are meant for."""

LEAST = 0.028
"""Share of the picture that must show the horse."""

PICTURES_A_PLACE = 40
"""A place is kept for so many pictures; neighbouring seeds show different horses, so no horse is tied to a place."""

POSES = 200
"""Poses an activity that horses share: making one costs more than a third of drawing it."""

BUILD = 0.9
"""Build of the horse the shared poses are made for; a horse of another size takes them scaled."""

NIGHTS = 0.28
"""Share of infra-red: every horse is to be seen by day and by night."""


def _with_nights(shares: tuple[float, ...]) -> tuple[float, ...]:
    day = np.array(shares[:-1])
    return (*(day / day.sum() * (1 - NIGHTS)), NIGHTS)


class IdentityMaker(StillMaker):
    """Makes one picture a seed; the seeds go round the identities, so that any run of them shows all equally often."""

    light_shares: ClassVar = {kind: _with_nights(shares) for kind, shares in LIGHT_SHARES.items()}

    def __init__(self, studio: Studio, width: int, height: int, identities: range) -> None:
        super().__init__(studio, width, height, identities)
        self._poses: dict[tuple[str, int], tuple[Pose, str | None, float | None]] = {}

    def identity(self, seed: int) -> int:
        """Whose picture this is: each round visits the identities in an order of its own."""
        turn, place = divmod(seed, len(self.identities))
        order = np.random.default_rng([turn, 5]).permutation(len(self.identities))
        return self.identities[int(order[place])]

    def make(self, seed: int) -> tuple[np.ndarray, dict[str, Any], list[dict[str, Any]]]:
        """BGR picture, image fields, one annotation (none when the horse is as good as hidden)."""
        rng = np.random.default_rng([seed, 6])
        place, uploaded, light_kind = self._place(seed // PICTURES_A_PLACE)
        actor = self._actor(place, random_look(self.identity(seed), tack=False), rng)
        camera, view = self._camera(place, [actor], self._target([actor], rng), rng)
        camera = self._framed(camera, actor, rng)
        light = make_light(light_kind, place.indoors, camera.position, camera.target, rng)
        extra = self._in_front(camera, rng)
        seen = Uploaded(tuple(uploaded.within(camera, (0, 0, self.width, self.height))), np.zeros((0, 8, 3)))
        rendered, truths = self.studio.shoot(camera, light, seen, [actor], extra)
        optics = random_optics(light_kind, light.exposure, rng)
        optics = replace(optics, motion=optics.motion * self.width / STREAKS_AT)
        picture = develop(rendered.colour, optics, rng)
        truth = truths[0]
        fields = {"width": self.width, "height": self.height, "scene": place.kind, "light": light_kind, "camera": view}
        found = []
        if truth is not None and truth.mask.mean() >= LEAST:
            look = actor.look
            found.append(
                annotation(truth, identity=look.name, coat=look.coat, activity=actor.activity, worn=look.rug is not None)
            )
        return picture, {**fields, "seed": seed, "horses": 1}, found

    def _actor(self, place: Place, look: Look, rng: np.random.Generator) -> Actor:
        """The horse doing something that fits the place, in tack of the day."""
        activity = draw(rng, ACTIVITIES[place.kind])
        worn = dressed(look, rng, ridden=activity in GAIT_OF and rng.random() < 0.1)
        pose, gait, phase = self._pose(activity, int(rng.integers(POSES)))
        size = float(worn.build.mean()) / BUILD
        pose = Pose(pose.rotations, pose.shifts * size, pose.root * size, pose.turn)
        at = np.array([rng.uniform(-1, 1) * place.floor[0], 0.0, rng.uniform(-1, 1) * place.floor[1]])
        return Actor(worn, pose.placed(at, float(rng.uniform(0, 2 * np.pi))), activity, gait, phase)

    def _pose(self, activity: str, number: int) -> tuple[Pose, str | None, float | None]:
        """One of the shared poses, of a horse of build ``BUILD`` at the origin, with its gait and phase."""
        key = (activity, number)
        if key not in self._poses:
            look = replace(random_look(0, tack=False), build=np.full(3, BUILD))
            rng = np.random.default_rng([number, *activity.encode(), 8])
            self._poses[key] = random_pose(self.studio, look, activity, rng)
        return self._poses[key]

    def _framed(self, camera: Camera, actor: Actor, rng: np.random.Generator) -> Camera:
        """The same camera turned and zoomed so that the horse fills the picture."""
        coarse = self.studio.model.coarse
        points = skin(coarse.points, coarse.joints, coarse.weights, self.studio.skinning(actor.look, actor.pose))
        way = points - camera.position
        middle = (way / np.linalg.norm(way, axis=1, keepdims=True)).mean(0)
        aimed = replace(camera, target=camera.position + middle * float(np.linalg.norm(way.mean(0))), field_of_view=80.0)
        for _ in range(2):
            pixels, depth = aimed.project(points)
            seen = pixels[depth > 0.2]
            low, high = seen.min(0), seen.max(0)
            aimed = self._turned(aimed, (low + high) / 2)
            span = float(((high - low) / [aimed.width, aimed.height]).max())
            tangent = np.tan(np.radians(aimed.field_of_view) / 2) * span / float(rng.uniform(*FILL))
            aimed = replace(aimed, field_of_view=float(np.clip(np.degrees(2 * np.arctan(tangent)), 3, 100)))
        return aimed

    def _turned(self, camera: Camera, pixel: Floats) -> Camera:
        """The camera looking at what was at ``pixel``."""
        view, projection = camera.matrices()
        x = (pixel[0] / camera.width * 2 - 1) / projection[0, 0]
        y = (1 - pixel[1] / camera.height * 2) / projection[1, 1]
        ray = view[:3, :3].T @ np.array([x, y, -1.0])
        reach = float(np.linalg.norm(camera.target - camera.position))
        return replace(camera, target=camera.position + ray / np.linalg.norm(ray) * reach)
