"""Follows the animals of one stream from picture to picture.

See ``docs/design/tracking.md``. The two-stage association is that of ByteTrack (Zhang et al., ECCV 2022), restarting the
filter from the observation after an occlusion is the idea of OC-SORT (Cao et al., CVPR 2023); the code is our own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from barnhand.core.detection import Detections
from barnhand.core.frame import Frame
from barnhand.core.geometry import Floats
from barnhand.core.time import SECOND_US
from barnhand.core.track import Track
from barnhand.track import checkpoint, kalman
from barnhand.track.affinity import (
    NEVER,
    Bools,
    affinity,
    assign,
    cover,
    overlap,
    possible,
    share_of_looks,
    similarity,
    unclear,
)
from barnhand.track.camera import CameraMotion, Matrix, still
from barnhand.track.kalman import Doubles, Ints
from barnhand.track.options import TrackOptions
from barnhand.track.palette import color

Looker = Callable[[Ints], Floats]
"""Embeds the detections of the given indices: ``(k,)`` → ``(k, d)`` unit rows."""


@dataclass
class Life:
    """What is known of one animal beside its motion. ``track_id`` is 0 until it is confirmed."""

    track_id: int
    color: str
    hits: int
    score: float
    started_us: int
    last_seen_us: int
    look: Floats | None = None
    looks: int = 0
    looked_us: int = 0
    detection: int | None = None


@dataclass(frozen=True, eq=False)
class Scene:
    """One picture's ``d`` detections beside the ``t`` tracks as predicted; boxes are ``kalman``'s corners."""

    boxes: Doubles
    """``(4, d)``"""
    scores: Floats
    """``(d,)``"""
    predicted: Doubles
    """``(4, t)``"""
    unseen_s: Doubles
    """``(t,)``: seconds since each track was seen."""
    overlaps: Doubles
    """``(t, d)``"""


class Tracker:
    """One stream's animals. Not shared between threads.

    ``first_id`` is the id the first animal gets; ids only grow, also over ``state`` and ``restore``.
    """

    def __init__(self, options: TrackOptions | None = None, first_id: int = 1) -> None:
        self._options = options or TrackOptions()
        self._camera = CameraMotion(self._options.camera)
        self._matrix: Matrix = still()
        self._next_id = first_id
        self._wall_us: int | None = None
        self._lives: list[Life] = []
        self._filters = kalman.none()

    @property
    def camera_motion(self) -> Matrix:
        """``(2, 3)``: takes a point of the last picture but one to the same place in the last picture, px."""
        return self._matrix

    def update(self, frame: Frame, detections: Detections, embeddings: "Floats | Looker | None" = None) -> list[Track]:
        """Take in one picture, later than all before.

        ``embeddings`` is ``(n, d)`` unit rows, one a detection (a row of NaN: not looked at), or a function that embeds
        the detections it is asked for: only those that position does not settle and those due for a fresh look.
        Returns every confirmed animal, also those out of sight (``seen`` false, box predicted), by id.
        """
        self._advance(frame)
        scene = self._scene(frame.wall_us, detections)
        pairs: dict[int, int] = {}
        looks: Floats | None = None
        if len(detections):
            looks = self._embed(frame.wall_us, scene, embeddings)
            pairs = self._associate(scene, self._affinity(scene, looks))
        if pairs:
            self._learn(frame.wall_us, scene, pairs, looks)
        self._give_birth(frame.wall_us, scene, set(pairs.values()), looks)
        return self._tracks(scene)

    def state(self) -> bytes:
        """Everything needed to go on after a restart, as versioned JSON."""
        return checkpoint.dump(self._next_id, self._wall_us, self._lives, self._filters)

    @classmethod
    def restore(cls, data: bytes, options: TrackOptions | None = None) -> "Tracker":
        """A tracker that goes on from ``state()``. Raises ``ValueError`` when ``data`` is not one of this version."""
        tracker = cls(options)
        saved = checkpoint.load(data)
        tracker._next_id, tracker._wall_us = saved.next_id, saved.wall_us
        tracker._lives = [Life(**life) for life in saved.lives]
        tracker._filters = saved.filters
        return tracker

    def _advance(self, frame: Frame) -> None:
        """Carry everything to this picture's time and camera position; forget who was out of sight for too long."""
        options, wall_us = self._options, frame.wall_us
        if options.camera.enabled:
            self._matrix = self._camera.update(frame.image, kalman.corners_of(self._filters).T.astype(np.float32))
        gap_us = 0 if self._wall_us is None else max(wall_us - self._wall_us, 0)
        self._wall_us = wall_us
        kept = [
            k
            for k, life in enumerate(self._lives)
            if wall_us - life.last_seen_us <= (options.keep_s if life.track_id else options.tentative_s) * SECOND_US
        ]
        if len(kept) < len(self._lives):
            self._lives = [self._lives[k] for k in kept]
            self._filters = self._filters[:, kept]
        for life in self._lives:
            life.detection = None
        if not self._lives:
            return
        if self._matrix is not still():
            self._filters = kalman.carry(self._filters, self._matrix)
        self._filters = kalman.predict(self._filters, gap_us, options.motion)

    def _scene(self, wall_us: int, detections: Detections) -> Scene:
        options = self._options
        boxes, scores = detections.boxes.T.astype(np.float64), detections.scores
        predicted = kalman.corners_of(self._filters)
        unseen_s = np.array([max(wall_us - life.last_seen_us, 0) / SECOND_US for life in self._lives])
        margin = np.minimum(options.margin + options.margin_growth * unseen_s, options.margin_most)
        return Scene(
            boxes=boxes,
            scores=scores,
            predicted=predicted,
            unseen_s=unseen_s,
            overlaps=overlap(predicted, boxes, margin),
        )

    def _embed(self, wall_us: int, scene: Scene, embeddings: "Floats | Looker | None") -> Floats | None:
        """Embeddings by detection, ``(d, e)``, NaN where not looked at; ``None`` when nothing was looked at."""
        if embeddings is None or not callable(embeddings):
            return embeddings
        sure = np.flatnonzero(scene.scores >= self._options.high_score)
        asked = sure[self._due(wall_us, scene, sure)] if len(sure) else sure
        if not len(asked):
            return None
        found = embeddings(asked)
        out = np.full((len(scene.scores), found.shape[1]), np.nan, np.float32)
        out[asked] = found
        return out

    def _due(self, wall_us: int, scene: Scene, columns: Ints) -> Bools:
        """Which of the detections need their appearance looked at."""
        if not self._lives:
            return np.ones(len(columns), bool)
        values = scene.overlaps[:, columns]
        due = unclear(values, sure=0.5, lead=0.3)
        for column, row in enumerate(values.argmax(axis=0).tolist()):
            life = self._lives[row]
            # The better an animal is known, the less there is to learn, down to a third as often.
            refresh_us = self._options.refresh_s * SECOND_US * min(1 + life.looks / 10, 3)
            due[column] |= life.looks < 3 or wall_us - life.looked_us >= refresh_us or scene.unseen_s[row] > 0.5
        return due

    def _affinity(self, scene: Scene, looks: Floats | None) -> Doubles:
        """Of every track and detection, ``(t, d)``: by overlap, and by appearance where both were looked at."""
        overlaps, options = scene.overlaps, self._options
        if looks is None or not self._lives:
            return np.where(overlaps > 0, overlaps, NEVER)
        unknown = np.full(looks.shape[1], np.nan, np.float32)
        alike = similarity(np.stack([unknown if life.look is None else life.look for life in self._lives]), looks)
        share = share_of_looks(kalman.doubt(self._filters), cover(scene.predicted), scene.unseen_s, options)
        allowed = possible(overlaps, alike, scene.predicted, scene.boxes, scene.unseen_s, options)
        return affinity(overlaps, alike, share, allowed, options)

    def _associate(self, scene: Scene, values: Doubles) -> dict[int, int]:
        """Which track takes which detection: confirmed tracks the sure ones, then by position alone the unsure ones; then
        the others of the sure ones go to tracks that have no id yet.
        """
        options, scores = self._options, scene.scores
        confirmed = np.array([life.track_id > 0 for life in self._lives], bool)
        sure = scores >= options.high_score
        pairs = dict(assign(np.where(confirmed[:, None] & sure, values, NEVER), options.accept))
        near = confirmed & (scene.unseen_s <= options.near_s)
        near[list(pairs)] = False
        unsure = (scores >= options.low_score) & ~sure
        if near.any() and unsure.any():
            pairs |= assign(np.where(near[:, None] & unsure, scene.overlaps, NEVER), options.accept_low)
        if not confirmed.all():
            sure[list(pairs.values())] = False
            pairs |= assign(np.where(~confirmed[:, None] & sure, values, NEVER), options.accept)
        return pairs

    def _learn(self, wall_us: int, scene: Scene, pairs: dict[int, int], looks: Floats | None) -> None:
        """Correct the tracks by what they were paired with."""
        options = self._options
        rows, columns = list(pairs), list(pairs.values())
        boxes = scene.boxes[:, columns]
        alone = None if looks is None else (1.0 - cover(scene.boxes)) ** 2
        noise = options.motion.noise * (2.0 - scene.scores[columns].astype(np.float64))
        corrected = kalman.correct(self._filters[:, rows], boxes, noise)
        long_gone = scene.unseen_s[rows] > options.motion.memory_s / 2
        if long_gone.any():
            corrected[:, long_gone] = kalman.start(boxes[:, long_gone], options.motion)
        self._filters[:, rows] = corrected
        for row, column, score in zip(rows, columns, scene.scores[columns].tolist(), strict=True):
            life = self._lives[row]
            life.hits += 1
            life.score = score
            life.last_seen_us = wall_us
            life.detection = column
            if looks is not None and alone is not None and looks[column, 0] == looks[column, 0]:
                self._remember(life, looks[column], wall_us, float(alone[column]))
            if life.track_id == 0 and life.hits >= options.confirm_hits:
                self._confirm(life)

    def _remember(self, life: Life, look: Floats, wall_us: int, alone: float = 1.0) -> None:
        """Blend a look into the remembered one: the mean of the first, then of the latest.

        ``alone``, 0..1, is what the look is worth: half of a picture in which another horse stands in front is that horse.
        """
        life.looked_us = wall_us
        life.looks += 1
        if life.look is None:
            life.look = look.astype(np.float32)
            return
        weight = alone * max(self._options.learn, 1.0 / life.looks)
        blend = (1 - weight) * life.look + weight * look
        life.look = (blend / max(float(np.linalg.norm(blend)), 1e-6)).astype(np.float32)

    def _confirm(self, life: Life) -> None:
        life.track_id = self._next_id
        life.color = color(life.track_id, {other.color for other in self._lives if other.track_id > 0 and other is not life})
        self._next_id += 1

    def _give_birth(self, wall_us: int, scene: Scene, taken: set[int], looks: Floats | None) -> None:
        """Sure detections that nobody took start new animals."""
        options = self._options
        wanted = np.flatnonzero(scene.scores >= max(options.birth_score, options.high_score)).tolist()
        free = [column for column in wanted if column not in taken]
        if not free:
            return
        seen = [k for k, life in enumerate(self._lives) if life.detection is not None]
        there = kalman.corners_of(self._filters)[:, seen]
        fresh: list[int] = []
        for column in sorted(free, key=lambda column: -float(scene.scores[column])):
            box = scene.boxes[:, column : column + 1]
            if not there.shape[1] or overlap(there, box, np.zeros(there.shape[1])).max() < options.duplicate:
                there = np.concatenate([there, box], axis=1)
                fresh.append(column)
        self._filters = np.concatenate([self._filters, kalman.start(scene.boxes[:, fresh], options.motion)], axis=1)
        for column in fresh:
            life = Life(0, "", 1, float(scene.scores[column]), wall_us, wall_us, detection=column)
            if looks is not None and np.isfinite(looks[column]).all():
                self._remember(life, looks[column], wall_us)
            self._lives.append(life)
            if options.confirm_hits <= 1:
                self._confirm(life)

    def _tracks(self, scene: Scene) -> list[Track]:
        """What is told: of a seen animal half way between filter and detection, nearer to the truth than the filter alone."""
        corners = kalman.corners_of(self._filters)
        found = [(k, life.detection) for k, life in enumerate(self._lives) if life.detection is not None]
        if found:
            rows, columns = [row for row, _ in found], [column for _, column in found]
            corners[:, rows] = (corners[:, rows] + scene.boxes[:, columns]) * 0.5
        boxes = corners.T.astype(np.float32)
        tracks = [
            Track(
                track_id=life.track_id,
                box=boxes[k],
                score=life.score,
                color=life.color,
                seen=life.detection is not None,
                started_us=life.started_us,
                last_seen_us=life.last_seen_us,
                detection=life.detection,
            )
            for k, life in enumerate(self._lives)
            if life.track_id > 0
        ]
        return sorted(tracks, key=lambda track: track.track_id)
