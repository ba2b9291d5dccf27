"""Motion over time: keyed poses for a stall, closed paths at stride-true speed for horses that walk, trot and canter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from training.synthetic.gaits import GAITS, Stride, moving, standing
from training.synthetic.lying import grazing
from training.synthetic.rig import Floats, Pose, Rig, bend, blend, smooth


@dataclass(frozen=True)
class Key:
    """From ``time`` seconds on the horse holds (or moves towards the next key's) pose.

    ``activity`` holds until the next key.
    """

    time: float
    pose: Pose
    activity: str


def keyed(keys: list[Key], time: float) -> tuple[Pose, str]:
    """The pose and activity at ``time``; the last key's time is the length, where the first pose returns."""
    for first, second in pairwise(keys):
        if first.time <= time < second.time:
            share = smooth((time - first.time) / (second.time - first.time))
            return blend(first.pose, second.pose, share), first.activity
    return keys[-1].pose, keys[-1].activity


def alive(rig: Rig, pose: Pose, time: float, period: float, seed: int, amount: float = 1.0) -> Pose:
    """Breathing, ears, tail and small head movements, repeating after ``period`` seconds."""
    rng = np.random.default_rng(seed)

    def wave(low: int, high: int) -> float:
        cycles, start = int(rng.integers(low, high)), float(rng.uniform(0, 6.28))
        return float(np.sin(2 * np.pi * cycles * time / period + start))

    breath = np.sin(2 * np.pi * round(period / 4.5) * time / period)
    flick = max(0.0, wave(5, 9) - 0.75) * 4
    other = max(0.0, wave(4, 8) - 0.75) * 4
    swish = max(0.0, wave(3, 6) - 0.4) * wave(18, 26)
    slow, slower = wave(3, 6), wave(2, 4)
    return bend(
        rig,
        pose,
        {
            "Torso2": (0.5 * breath * amount, 0, 0),
            "Torso": (-0.4 * breath * amount, 0, 0),
            "Neck1": (1.6 * slow * amount, 1.5 * slower * amount, 0),
            "Neck2": (1.2 * slower * amount, 1.5 * slow * amount, 0),
            "Head": (1.8 * wave(3, 7) * amount, 1.6 * slower * amount, 0),
            "Ear1.L": (0, 24 * flick, 0),
            "Ear1.R": (0, -26 * other, 0),
            "Tail2": (0, 0, 9 * swish),
            "Tail3": (0, 0, 10 * swish),
            "Tail4": (0, 0, 8 * swish),
            "Tail6": (0, 0, 6 * swish),
        },
    )


@dataclass(frozen=True)
class Stage:
    """A stretch of a horse's way: ``mode`` is a gait, "stand" or "graze"."""

    seconds: float
    mode: str


ACTIVITY = {"walk": "walking", "trot": "trotting", "canter": "cantering", "stand": "standing", "graze": "grazing"}
EASE = 0.9


class Journey:
    """A horse on a closed path (n, 2 in x, z): stages set the speed, the strides are fitted so that the path closes exactly.

    Hooves do not slide in steady motion, because the speed along the path is the speed of the stride; during the ``EASE``
    seconds around a change of stage two motions are blended.
    """

    def __init__(
        self, rig: Rig, path: Floats, stages: list[Stage], rate: int, left_lead: bool = True, head: float = 0.0
    ) -> None:
        self._rig = rig
        self._curve = _closed_curve(path)
        steps = np.linalg.norm(np.diff(self._curve, axis=0), axis=1)
        self._along = np.concatenate([[0.0], np.cumsum(steps)])
        self.seconds = sum(stage.seconds for stage in stages)
        self._times = np.arange(0, self.seconds, 1 / rate)
        starts = np.cumsum([0.0] + [stage.seconds for stage in stages])
        self._stages, self._starts = stages, starts
        raw = self._travel(1.0, left_lead, head)
        total = raw[-1] + (raw[-1] - raw[-2])
        rounds = max(1, round(total / self._along[-1]))
        self.stretch = float(rounds * self._along[-1] / total)
        if not 0.7 <= self.stretch <= 1.35:
            raise ValueError(
                f"the stages cover {total:.1f} m but the path is {self._along[-1]:.1f} m: "
                f"steps would be stretched by {self.stretch:.2f}"
            )
        self._distance = self._travel(self.stretch, left_lead, head)
        self._strides = {name: Stride(GAITS[name], self.stretch, 1.0, left_lead, head) for name in GAITS}
        self._phases = self._cycle()

    def _shares(self, time: float) -> dict[str, float]:
        """How much of each mode there is at ``time``."""
        out: dict[str, float] = {}
        for k, stage in enumerate(self._stages):
            middle_start, middle_end = self._starts[k], self._starts[k + 1]
            for shift in (-self.seconds, 0.0, self.seconds):
                t = time + shift
                rise = smooth((t - middle_start) / EASE + 0.5)
                fall = smooth((t - middle_end) / EASE + 0.5)
                share = rise - fall
                if share > 0:
                    out[stage.mode] = out.get(stage.mode, 0.0) + share
        total = sum(out.values())
        return {mode: share / total for mode, share in out.items()}

    def _travel(self, stretch: float, left_lead: bool, head: float) -> Floats:
        speeds = {name: Stride(GAITS[name], stretch, 1.0, left_lead, head).speed(self._rig) for name in GAITS}
        rate = 1 / (self._times[1] - self._times[0])
        speed = [sum(share * speeds.get(mode, 0.0) for mode, share in self._shares(float(t)).items()) for t in self._times]
        return np.asarray(np.concatenate([[0.0], np.cumsum(speed)[:-1]]) / rate)

    def _cycle(self) -> Floats:
        """Phase of the stride at each frame, one clock for all gaits so that changes of gait stay in step."""
        rate = 1 / (self._times[1] - self._times[0])
        frequency = []
        for t in self._times:
            shares = self._shares(float(t))
            frequency.append(
                sum(share / self._strides[mode].seconds() for mode, share in shares.items() if mode in self._strides)
            )
        phase = np.concatenate([[0.0], np.cumsum(frequency)[:-1]]) / rate
        end = phase[-1] + frequency[-1] / rate
        whole = max(round(end), 1)
        return np.asarray(phase * whole / end)

    def at(self, frame: int, modify: Callable[[Pose, float], Pose] | None = None) -> tuple[Pose, str, str | None, float | None]:
        """Placed pose, activity, gait and phase at a frame; ``modify`` changes the pose before it is placed."""
        frame %= len(self._times)
        time = float(self._times[frame])
        shares = self._shares(time)
        phase = float(self._phases[frame] % 1.0)
        pose: Pose | None = None
        weight = 0.0
        for mode, share in shares.items():
            if mode in self._strides:
                part = moving(self._rig, self._strides[mode], phase)
            else:
                part = grazing(self._rig, 1.0 if mode == "graze" else 0.12, standing(self._rig, 0.0, 0.1))
            weight += share
            pose = part if pose is None else blend(pose, part, share / weight)
        assert pose is not None
        main = max(shares, key=lambda mode: shares[mode])
        place, heading, curvature = self._where(float(self._distance[frame]))
        lean = float(np.clip(-curvature * 32, -14, 14)) * (1.0 if main in ("trot", "canter") else 0.3)
        turn = float(np.degrees(curvature) * 0.22)
        pose = bend(
            self._rig,
            pose,
            {"Torso2": (0, turn, 0), "Neck1": (0, turn * 1.2, 0), "Neck2": (0, turn * 1.2, 0), "Body": (0, 0, -lean * 0.35)},
        )
        if modify is not None:
            pose = modify(pose, time)
        gait = main if main in GAITS else None
        return pose.placed(np.array([place[0], 0.0, place[1]]), heading), ACTIVITY[main], gait, phase if gait else None

    def _where(self, distance: float) -> tuple[Floats, float, float]:
        """Floor point, heading and curvature (positive to the left) at a distance along the path."""
        length = float(self._along[-1])

        def point(s: float) -> Floats:
            s %= length
            return np.array([np.interp(s, self._along, self._curve[:, k]) for k in range(2)])

        before, here, after = point(distance - 0.5), point(distance), point(distance + 0.5)
        first, second = np.arctan2(*(here - before)), np.arctan2(*(after - here))
        bent = (second - first + np.pi) % (2 * np.pi) - np.pi
        return here, float(np.arctan2(*(after - before))), float(bent / 0.5)


def _closed_curve(points: Floats, samples: int = 60) -> Floats:
    """A closed Catmull-Rom spline through ``points`` (n, 2), as a fine polyline whose last point is its first."""
    out = []
    n = len(points)
    for k in range(n):
        a, b, c, d = (points[(k + j) % n] for j in (-1, 0, 1, 2))
        for t in np.linspace(0, 1, samples, endpoint=False):
            out.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    out.append(out[0])
    return np.array(out)
