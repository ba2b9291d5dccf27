"""Pictures for training the legs: one horse in stride, seen from about the side, another look and phase each time."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.synthetic.effects import develop, random_optics
from training.synthetic.lighting import make_light, sky_tint
from training.synthetic.looks import dressed, random_look
from training.synthetic.renderer import Uploaded
from training.synthetic.sets import Place, build
from training.synthetic.stills import random_pose
from training.synthetic.studio import Actor, Studio
from training.synthetic.truth import annotation
from training.synthetic.view import Camera

PICTURES_A_PLACE = 10
STRIDES = {"walking": 0.3, "trotting": 0.3, "cantering": 0.32, "galloping": 0.08}
"""Share of each way of moving."""
LIGHTS = {"day": 0.4, "overcast": 0.3, "dusk": 0.2, "infrared": 0.1}


class StrideMaker:
    """Makes one picture a seed."""

    def __init__(self, studio: Studio, width: int, height: int, identities: range) -> None:
        self.studio, self.width, self.height, self.identities = studio, width, height, identities
        self._built: tuple[int, Place, Uploaded, str] | None = None

    def _place(self, number: int) -> tuple[Place, Uploaded, str]:
        """The place and light of a run of seeds; kept while the run lasts, since building one costs more than drawing it."""
        if self._built is None or self._built[0] != number:
            rng = np.random.default_rng([number, 6])
            light = str(rng.choice(list(LIGHTS), p=list(LIGHTS.values())))
            if self._built is not None:
                self._built[2].release()
            place = build(str(rng.choice(["arena", "paddock"])), rng, sky_tint(light), blades=int(rng.integers(500, 1600)))
            self._built = (number, place, self.studio.renderer.upload(place.props), light)
        return self._built[1:]

    def make(self, seed: int) -> tuple[np.ndarray, dict[str, Any], list[dict[str, Any]]]:
        """BGR picture, image fields, annotations."""
        rng = np.random.default_rng([seed, 5])
        place, uploaded, light_kind = self._place(seed // PICTURES_A_PLACE)
        look = dressed(random_look(int(rng.integers(self.identities.start, self.identities.stop)), tack=False), rng)
        activity = str(rng.choice(list(STRIDES), p=list(STRIDES.values())))
        pose, gait, phase = random_pose(self.studio, look, activity, rng)
        at = np.array([rng.uniform(-1, 1), 0.0, rng.uniform(-1, 1)]) * 0.7 * [place.floor[0], 0.0, place.floor[1]]
        heading = float(rng.uniform(0, 2 * np.pi))
        actor = Actor(look, pose.placed(at, heading), activity, gait, phase)
        camera = self._camera(look.build[1], actor, rng)
        light = make_light(light_kind, place.indoors, camera.position, camera.target, rng)
        rendered, truths = self.studio.shoot(camera, light, uploaded, [actor])
        optics = random_optics(light_kind, light.exposure, rng)
        fields = {"width": self.width, "height": self.height, "scene": place.kind, "light": light_kind, "seed": seed}
        found = [
            annotation(truth, identity=look.name, coat=look.coat, activity=activity, gait=gait, phase=phase)
            for truth in truths
            if truth is not None
        ]
        return develop(rendered.colour, optics, rng), fields, found

    def _camera(self, tall: float, actor: Actor, rng: np.random.Generator) -> Camera:
        """About at right angles to the horse, now and then well before or behind it, the whole horse in the picture."""
        forward = actor.pose.turn @ np.array([0.0, 0.0, 1.0])
        azimuth = np.arctan2(forward[2], forward[0]) + rng.choice([-1, 1]) * np.pi / 2 + rng.normal(0, 0.3)
        target = actor.pose.root * [1, 0, 1] + np.array([0.0, 1.1 * tall, 0.0]) + rng.normal(0, 0.1, 3)
        away = float(np.exp(rng.uniform(np.log(3.6), np.log(12.0))))
        position = target + np.array([np.cos(azimuth) * away, 0.0, np.sin(azimuth) * away])
        position[1] = rng.uniform(0.7, 2.6)
        field = np.degrees(2 * np.arctan(rng.uniform(1.25, 1.7) / away))
        return Camera(position, target, float(field), self.width, self.height, float(rng.normal(0, 1.5)))
