"""The demo footage: a stall at night, a paddock with two horses, an aisle nobody should be in, and a horse on the lunge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm  # type: ignore[import-untyped]

from training.synthetic import demo_sets
from training.synthetic.choreography import Journey, Key, Stage, alive, keyed
from training.synthetic.effects import Optics, develop
from training.synthetic.footage import FilmWriter, horse_entry, write_truth
from training.synthetic.gaits import standing
from training.synthetic.geometry import Props, person
from training.synthetic.looks import BASES, NEVER, Look
from training.synthetic.lying import crouching, flank_look, flat, grazing, kneeling, sitting, sternal, turned
from training.synthetic.rig import Pose, Rig, bend
from training.synthetic.studio import Actor, Studio
from training.synthetic.view import Camera, Light

WIDTH, HEIGHT = 960, 540
FILMS = ("stall_night", "paddock", "aisle", "arena")


@dataclass(frozen=True)
class Film:
    """One camera's film: who is in the picture at a frame, and how the camera sees it."""

    name: str
    title: str
    seconds: float
    camera: Camera
    light: Light
    optics: Optics
    props: Props
    fps: int
    crf: int
    cast: Callable[[int], tuple[list[Actor], Props | None, list[dict[str, Any]]]]


def _look(name: str, coat: str, build: float, **changes: Any) -> Look:
    body, points, mane, muzzle, tone = BASES[coat]
    base = Look(name=name, coat=coat, body=body, points=points, mane=mane, muzzle=muzzle, tone=tone, build=np.full(3, build))
    return replace(base, **changes)


BAY = _look("Bella", "bay", 0.92, socks=(0.0, 0.0, 0.2, 0.0), face=(NEVER, 0.05, 1.0, 0.0))
GREY = _look("Comet", "grey", 0.88, pattern=(NEVER, 0.0, 0.4, 0.0), offset=(0.3, 0.7, 0.1))
CHESTNUT = _look("Amber", "chestnut", 0.90, socks=(0.3, 0.0, 0.45, 0.45), face=(0.035, 0.05, 0.95, 0.0), offset=(0.2, 0.1, 0.6))
DARK = _look("Juno", "dark bay", 0.91, socks=(0.0, 0.2, 0.0, 0.0), face=(0.03, 0.0, 0.9, 0.05), offset=(0.8, 0.4, 0.2))


def stall_night(studio: Studio) -> Film:
    """A mare in her box under an infra-red lamp: she looks at her flank, lies down, lies flat, gets up again."""
    rig = studio.model.rig.scaled(DARK.build)
    stand = standing(rig, 0.0, 0.06, "RH")
    square = standing(rig, 0.02, 0.03)
    low = grazing(rig, 0.85, standing(rig, 0.0, 0.08))
    chest, chest_low, side = sternal(rig, 1.0, 0.0), sternal(rig, 1.0, 0.6), flat(rig, 1.0, 0.3)
    up = turned(sitting(rig), z=-6)
    keys = [
        Key(0, stand, "standing"),
        Key(4.5, stand, "standing"),
        Key(5.5, square, "looking_at_flank"),
        Key(7.2, flank_look(rig, 1.0, 0.95), "looking_at_flank"),
        Key(9.4, flank_look(rig, 1.0, 0.9), "looking_at_flank"),
        Key(10.8, square, "standing"),
        Key(12.0, low, "standing"),
        Key(14.5, grazing(rig, 0.95, standing(rig, 0.02, 0.08)), "lying_down"),
        Key(15.8, crouching(rig), "lying_down"),
        Key(17.0, kneeling(rig), "lying_down"),
        Key(18.6, chest, "lying"),
        Key(21.0, chest, "lying"),
        Key(22.4, flank_look(rig, -1.0, 0.8, chest), "lying"),
        Key(24.2, flank_look(rig, -1.0, 0.85, chest), "lying"),
        Key(25.6, chest_low, "lying"),
        Key(27.6, chest_low, "lying"),
        Key(29.8, side, "lying_flat"),
        Key(35.0, flat(rig, 1.0, 0.5), "lying_flat"),
        Key(37.2, chest_low, "lying"),
        Key(39.0, chest, "rising"),
        Key(40.4, up, "rising"),
        Key(41.6, bend(rig, kneeling_up(rig), {}), "rising"),
        Key(42.6, square, "standing"),
        Key(45.0, square, "standing"),
        Key(48.0, stand, "standing"),
    ]
    camera = Camera(np.array([-1.62, 2.72, 1.78]), np.array([0.16, 0.66, -0.16]), 58, WIDTH, HEIGHT, -1.0)
    aim = (camera.target - camera.position) / np.linalg.norm(camera.target - camera.position)
    light = Light(
        np.array([0.0, 1.0, 0.0]),
        np.zeros(3),
        np.full(3, 0.035),
        np.full(3, 0.03),
        lamp_position=camera.position + [0.06, 0.02, 0.0],
        lamp=np.full(3, 2.0),
        lamp_axis=aim,
        lamp_cone=float(np.cos(np.radians(68))),
        fog_colour=np.full(3, 0.004),
        infrared=True,
    )

    def cast(frame: int) -> tuple[list[Actor], Props | None, list[dict[str, Any]]]:
        time = frame / 15
        pose, activity = keyed(keys, time)
        pose = studio.grounded(DARK, alive(rig, pose, time, 48.0, 5), 0.03)
        return [Actor(DARK, pose.placed(np.array([0.1, 0.0, -0.15]), np.radians(68)), activity)], None, []

    return Film(
        "stall_night",
        "Stall at night, infra-red",
        48,
        camera,
        light,
        Optics(1.15, True, 0.45, 3.0, 0.5, cobweb=0),
        demo_sets.stall_at_night(),
        15,
        30,
        cast,
    )


def kneeling_up(rig: Any) -> Any:
    """Half way up: forelegs straight, hindquarters pushing."""
    from training.synthetic.rig import blend

    return blend(sitting(rig), standing(rig), 0.62)


def paddock(studio: Studio) -> Film:
    """A bay and a grey: they cross in front of the camera, leave the picture and come back."""
    bay_rig, grey_rig = studio.model.rig.scaled(BAY.build), studio.model.rig.scaled(GREY.build)
    bay_path = np.array(
        [
            [-3.2, 2.2],
            [0.5, 1.4],
            [4.2, 2.0],
            [8.8, 1.2],
            [11.5, -1.0],
            [9.0, -3.6],
            [4.0, -3.9],
            [-0.5, -4.2],
            [-5.0, -3.0],
            [-5.8, 0.6],
        ]
    )
    grey_path = np.array(
        [
            [3.4, -1.6],
            [0.2, -1.2],
            [-3.6, -0.6],
            [-8.0, -0.4],
            [-11.5, -2.4],
            [-9.5, -5.4],
            [-4.0, -6.6],
            [2.0, -7.0],
            [6.2, -5.6],
            [6.0, -2.8],
        ]
    )
    # x of the path points right in the picture: the camera looks along -z from the near side.
    bay = Journey(
        bay_rig,
        bay_path,
        [
            Stage(5.0, "graze"),
            Stage(10.0, "walk"),
            Stage(4.0, "trot"),
            Stage(3.0, "walk"),
            Stage(6.0, "walk"),
            Stage(6.0, "walk"),
            Stage(6.0, "graze"),
        ],
        20,
        head=2,
    )
    grey = Journey(
        grey_rig,
        grey_path,
        [
            Stage(2.5, "stand"),
            Stage(11.5, "walk"),
            Stage(5.0, "trot"),
            Stage(3.0, "walk"),
            Stage(4.0, "stand"),
            Stage(9.0, "walk"),
            Stage(5.0, "graze"),
        ],
        20,
        False,
    )
    seconds = bay.seconds
    camera = Camera(np.array([0.6, 2.5, 10.6]), np.array([0.2, 0.75, -0.6]), 36, WIDTH, HEIGHT)
    sun = np.array([0.55, 0.55, 0.6])
    light = Light(
        sun / np.linalg.norm(sun),
        np.array([2.0, 1.78, 1.42]),
        np.array([0.46, 0.54, 0.68]),
        np.array([0.20, 0.20, 0.13]),
        fog_colour=np.array([0.66, 0.72, 0.78]),
        fog=0.0016,
    )

    def fidgeting(rig: Rig, period: float, seed: int, pose: Pose, time: float) -> Pose:
        return alive(rig, pose, time, period, seed, 0.8)

    def cast(frame: int) -> tuple[list[Actor], Props | None, list[dict[str, Any]]]:
        actors = []
        for look, rig, journey, seed in ((BAY, bay_rig, bay, 2), (GREY, grey_rig, grey, 3)):
            pose, activity, gait, phase = journey.at(frame, partial(fidgeting, rig, seconds, seed))
            actors.append(Actor(look, pose, activity, gait, phase))
        return actors, None, []

    return Film(
        "paddock",
        "Paddock, two horses",
        seconds,
        camera,
        light,
        Optics(1.0, False, 0.12, 1.2, 0.45),
        demo_sets.summer_paddock(),
        20,
        30,
        cast,
    )


def aisle(studio: Studio) -> Film:
    """The aisle after closing time: empty, then somebody walks through, then a loose horse."""
    rig = studio.model.rig.scaled(CHESTNUT.build)
    path = np.array(
        [
            [-0.1, -13.5],
            [-0.05, -8.0],
            [-0.3, -2.0],
            [-0.45, 3.0],
            [-0.5, 8.0],
            [-0.3, 12.5],
            [5.0, 16.0],
            [12.0, 6.0],
            [12.0, -10.0],
            [5.0, -17.0],
        ]
    )
    horse = Journey(rig, path, [Stage(6.0, "walk"), Stage(3.0, "stand"), Stage(35.0, "walk")], 15, head=6)
    camera = Camera(np.array([0.95, 2.65, 8.2]), np.array([-0.15, 0.75, -1.2]), 52, WIDTH, HEIGHT)
    glow = np.array([1.0, 0.80, 0.52])
    light = Light(
        np.array([0.12, 0.97, 0.2]) / np.linalg.norm([0.12, 0.97, 0.2]),
        0.34 * glow,
        0.085 * glow,
        0.05 * glow,
        lamp_position=np.array([0.0, 2.8, -3.2]),
        lamp=1.25 * glow,
        fog_colour=np.full(3, 0.01),
    )

    def cast(frame: int) -> tuple[list[Actor], Props | None, list[dict[str, Any]]]:
        time = frame / 15
        actors: list[Actor] = []
        others: list[dict[str, Any]] = []
        extra: Props | None = None
        if 9.0 <= time <= 20.5:
            walked = (time - 9.0) * 1.28
            at = np.array([-0.55 + 0.12 * np.sin(walked * 0.7), 0.0, -9.6 + walked])
            if at[2] < 7.0:
                extra = Props()
                person(extra, at, 0.0, walked / 1.45, np.array([0.03, 0.035, 0.05]), np.array([0.40, 0.26, 0.18]))
                box = _extent(extra, camera)
                if box:
                    others.append({"kind": "person", "bbox": box})
        if 22.5 <= time < 41.0:
            pose, activity, gait, phase = horse.at(frame - int(22.5 * 15), lambda p, t: alive(rig, p, t, horse.seconds, 8))
            if abs(pose.root[0]) < 1.2 and -14.0 < pose.root[2] < 11.5:
                actors.append(Actor(CHESTNUT, pose, activity, gait, phase))
        return actors, extra, others

    return Film(
        "aisle",
        "Stable aisle after hours",
        42,
        camera,
        light,
        Optics(1.45, False, 0.3, 2.2, 0.5, tint=(1.03, 1.0, 0.97)),
        demo_sets.evening_aisle(),
        15,
        30,
        cast,
    )


def arena(studio: Studio) -> Film:
    """Walk, trot and canter on the lunge, on the left rein."""
    look = replace(CHESTNUT, name="Amber", halter=(0.02, 0.03, 0.10), boots=(0.5, 0.5, 0.5))
    rig = studio.model.rig.scaled(look.build)
    radius = 5.2
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    path = np.stack([-radius * np.cos(angle), radius * np.sin(angle)], 1)
    horse = Journey(
        rig,
        path,
        [Stage(10.0, "walk"), Stage(10.0, "trot"), Stage(10.0, "canter"), Stage(5.0, "trot"), Stage(4.0, "walk")],
        25,
        True,
        head=8,
    )
    camera = Camera(np.array([0.0, 2.3, 12.6]), np.array([0.0, 0.55, 0.0]), 37, WIDTH, HEIGHT)
    sun = np.array([-0.6, 0.5, 0.35])
    light = Light(
        sun / np.linalg.norm(sun),
        np.array([2.15, 1.75, 1.25]),
        np.array([0.42, 0.5, 0.66]),
        np.array([0.26, 0.22, 0.16]),
        fog_colour=np.array([0.70, 0.72, 0.74]),
        fog=0.0016,
    )

    def cast(frame: int) -> tuple[list[Actor], Props | None, list[dict[str, Any]]]:
        pose, activity, gait, phase = horse.at(frame, lambda p, t: alive(rig, p, t, horse.seconds, 4, 0.5))
        actor = Actor(look, pose, activity, gait, phase)
        matrix = studio.skinning(look, pose)[rig.index["Head"]]
        chin = matrix[:3, :3] @ np.array([0.0, 1.90, 1.42]) + matrix[:3, 3]
        facing = float(np.arctan2(pose.root[0], pose.root[2]))
        extra = Props()
        person(extra, np.zeros(3), facing, 0.02 * np.sin(frame / 9), np.array([0.05, 0.09, 0.22]), np.array([0.45, 0.30, 0.22]))
        hand = np.array([np.sin(facing) * 0.25, 1.05, np.cos(facing) * 0.25])
        droop = (hand + chin) / 2 - [0, 0.22, 0]
        for a, b in (
            (hand, (hand + droop) / 2 - [0, 0.06, 0]),
            ((hand + droop) / 2 - [0, 0.06, 0], droop),
            (droop, (droop + chin) / 2 - [0, 0.05, 0]),
            ((droop + chin) / 2 - [0, 0.05, 0], chin),
        ):
            extra.tube("plain", a, b, 0.012, np.array([0.6, 0.58, 0.5]), sides=5, capped=False)
        box = _extent(extra, camera, 0.6)
        return [actor], extra, [{"kind": "person", "bbox": box}] if box else []

    return Film(
        "arena",
        "Arena, on the lunge",
        horse.seconds,
        camera,
        light,
        Optics(1.0, False, 0.12, 1.2, 0.45),
        demo_sets.outdoor_arena(),
        25,
        30,
        cast,
    )


def _extent(props: Props, camera: Camera, within: float = 9.0) -> list[float] | None:
    """Box [x, y, w, h] of props in the picture (of those within ``within`` metres of the vertical through the origin's
    person).
    """
    points = np.concatenate([rows[:, :3] for rows in props.arrays().values()]).astype(np.float64)
    if within < 9.0:
        points = points[np.hypot(points[:, 0], points[:, 2]) < within]
    pixels, depth = camera.project(points)
    pixels = pixels[depth > 0.2]
    if not len(pixels):
        return None
    low, high = (
        np.clip(pixels.min(0), 0, [camera.width, camera.height]),
        np.clip(pixels.max(0), 0, [camera.width, camera.height]),
    )
    if (high - low).min() < 2:
        return None
    return [round(float(v), 1) for v in (*low, *(high - low))]


MAKERS: dict[str, Callable[[Studio], Film]] = {"stall_night": stall_night, "paddock": paddock, "aisle": aisle, "arena": arena}


class Shoot:
    """Renders the frames of one film; the empty set is drawn once."""

    def __init__(self, studio: Studio, film: Film) -> None:
        self.studio, self.film = studio, film
        self._set = studio.renderer.upload(film.props)
        self._empty = studio.renderer.draw(film.camera, film.light, self._set, [], np.zeros((0, 4)))

    def frame(self, number: int) -> tuple[Any, dict[str, Any]]:
        """BGR picture and ground truth of a frame."""
        film = self.film
        actors, extra, others = film.cast(number)
        rendered, truths = self.studio.shoot(film.camera, film.light, self._set, actors, extra, self._empty)
        picture = develop(rendered.colour, film.optics, np.random.default_rng([number, 6]))
        horses = [
            horse_entry(a.look.name, a.look.coat, a.activity, a.gait, a.phase, t) for a, t in zip(actors, truths, strict=True)
        ]
        entry: dict[str, Any] = {"horses": horses}
        if others:
            entry["others"] = others
        return picture, entry


def make_film(studio: Studio, name: str, folder: Path, crf: int | None = None) -> None:
    """Render one film and its ground truth into ``folder``."""
    film = MAKERS[name](studio)
    shoot = Shoot(studio, film)
    frames = []
    folder.mkdir(parents=True, exist_ok=True)
    with FilmWriter(folder / f"{name}.mp4", WIDTH, HEIGHT, film.fps, film.crf if crf is None else crf) as writer:
        for number in tqdm(range(round(film.seconds * film.fps)), desc=name, unit="frame"):
            picture, entry = shoot.frame(number)
            writer.write(picture)
            frames.append(entry)
    write_truth(folder / f"{name}.json", name, film.title, WIDTH, HEIGHT, film.fps, frames)
