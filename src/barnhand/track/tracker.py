"""Follows the animals of one stream from picture to picture.

See ``docs/design/tracking.md``. The two-stage association is that of ByteTrack (Zhang et al., ECCV 2022), restarting the
filter from the observation after an occlusion is the idea of OC-SORT (Cao et al., CVPR 2023); the code is our own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from barnhand.core.detection import Detections
from barnhand.core.frame import Frame
from barnhand.core.geometry import Floats, iou
from barnhand.core.time import SECOND_US
from barnhand.core.track import Track
from barnhand.track import checkpoint, kalman
from barnhand.track.affinity import Ints, affinity, assign, cover, overlap, similarity, unclear, within_reach
from barnhand.track.camera import CameraMotion, Matrix, still
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
        self._mean, self._cov = kalman.start(np.zeros((0, 4), np.float32), self._options.motion)
        self._predicted = kalman.boxes_of(self._mean)

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
        options, wall_us, scores = self._options, frame.wall_us, detections.scores
        kept = np.flatnonzero(scores >= options.low_score)
        covering = np.zeros(len(detections), np.float32)
        covering[kept] = cover(detections.boxes[kept])
        sure, unsure = kept[scores[kept] >= options.high_score], kept[scores[kept] < options.high_score]

        looks = self._embed(wall_us, detections, sure, embeddings)
        old = np.array([k for k, life in enumerate(self._lives) if life.track_id > 0], np.int64)
        new = np.array([k for k, life in enumerate(self._lives) if life.track_id == 0], np.int64)
        pairs = self._associate(wall_us, detections, old, sure, looks)
        pairs |= self._continue(wall_us, detections, unsure, pairs)
        pairs |= self._associate(wall_us, detections, new, _without(sure, pairs), looks)

        self._learn(wall_us, detections, pairs, looks, covering)
        self._drop(wall_us)
        self._give_birth(wall_us, detections, _without(sure, pairs), looks)
        return self._tracks()

    def state(self) -> bytes:
        """Everything needed to go on after a restart, as versioned JSON."""
        return checkpoint.dump(self._next_id, self._wall_us, self._lives, self._mean, self._cov)

    @classmethod
    def restore(cls, data: bytes, options: TrackOptions | None = None) -> "Tracker":
        """A tracker that goes on from ``state()``. Raises ``ValueError`` when ``data`` is not one of this version."""
        tracker = cls(options)
        saved = checkpoint.load(data)
        tracker._next_id, tracker._wall_us = saved.next_id, saved.wall_us
        tracker._lives = [Life(**life) for life in saved.lives]
        tracker._mean, tracker._cov = saved.mean, saved.cov
        return tracker

    def _advance(self, frame: Frame) -> None:
        """Carry everything to this picture's time and camera position."""
        self._matrix = self._camera.update(frame.image, kalman.boxes_of(self._mean))
        gap_us = 0 if self._wall_us is None else max(frame.wall_us - self._wall_us, 0)
        self._wall_us = frame.wall_us
        self._mean = kalman.carry(self._mean, self._matrix)
        self._mean, self._cov = kalman.predict(self._mean, self._cov, gap_us / SECOND_US, self._options.motion)
        self._predicted = kalman.boxes_of(self._mean)
        for life in self._lives:
            life.detection = None

    def _unseen_s(self, wall_us: int, rows: Ints) -> Floats:
        return np.array([max(wall_us - self._lives[k].last_seen_us, 0) / SECOND_US for k in rows], np.float32)

    def _embed(self, wall_us: int, detections: Detections, sure: Ints, embeddings: "Floats | Looker | None") -> Floats | None:
        """Embeddings by detection, ``(n, d)``, NaN where not looked at; ``None`` when there is no embedder."""
        if embeddings is None or not callable(embeddings):
            return embeddings
        asked = sure[self._due(wall_us, detections.boxes[sure])] if len(sure) else sure
        if not len(asked):
            width = next((len(life.look) for life in self._lives if life.look is not None), 1)
            return np.full((len(detections), width), np.nan, np.float32)
        found = embeddings(asked)
        out = np.full((len(detections), found.shape[1]), np.nan, np.float32)
        out[asked] = found
        return out

    def _due(self, wall_us: int, boxes: Floats) -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
        """Which of ``boxes`` need their appearance looked at."""
        if not self._lives:
            return np.ones(len(boxes), bool)
        rows = np.arange(len(self._lives))
        unseen = self._unseen_s(wall_us, rows)
        values = overlap(self._predicted, boxes, unseen, self._options)
        due = unclear(values, sure=0.5, lead=0.3)
        for column, row in enumerate(values.argmax(axis=0)):
            life = self._lives[row]
            # The better an animal is known, the less there is to learn, down to a third as often.
            refresh_us = self._options.refresh_s * SECOND_US * min(1 + life.looks / 10, 3)
            due[column] |= life.looks < 3 or wall_us - life.looked_us >= refresh_us or unseen[row] > 0.5
        return due

    def _associate(
        self, wall_us: int, detections: Detections, rows: Ints, columns: Ints, looks: Floats | None
    ) -> dict[int, int]:
        """Pairs of track row and detection by overlap and appearance."""
        if not len(rows) or not len(columns):
            return {}
        options = self._options
        predicted = self._predicted
        unseen = self._unseen_s(wall_us, rows)
        overlaps = overlap(predicted[rows], detections.boxes[columns], unseen, options)
        alike = None
        if looks is not None:
            unknown = np.full(looks.shape[1], np.nan, np.float32)
            remembered = [self._lives[k].look for k in rows]
            alike = similarity(np.stack([unknown if r is None else r for r in remembered]), looks[columns])
        hidden = np.maximum(cover(predicted)[rows], np.clip(unseen / options.occluded_s, 0, 1))
        share = options.appearance + (options.appearance_most - options.appearance) * hidden
        reachable = within_reach(predicted[rows], detections.boxes[columns], unseen, options)
        picked = assign(affinity(overlaps, alike, share, reachable, options), options.accept)
        return {int(rows[r]): int(columns[c]) for r, c in zip(*picked, strict=True)}

    def _continue(self, wall_us: int, detections: Detections, columns: Ints, pairs: dict[int, int]) -> dict[int, int]:
        """Unsure detections continue confirmed tracks that are near and were seen a moment ago."""
        near = [
            k
            for k, life in enumerate(self._lives)
            if life.track_id > 0 and k not in pairs and wall_us - life.last_seen_us <= SECOND_US
        ]
        if not near or not len(columns):
            return {}
        rows = np.array(near, np.int64)
        values = overlap(self._predicted[rows], detections.boxes[columns], self._unseen_s(wall_us, rows), self._options)
        picked = assign(values, self._options.accept_low)
        return {int(rows[r]): int(columns[c]) for r, c in zip(*picked, strict=True)}

    def _learn(
        self, wall_us: int, detections: Detections, pairs: dict[int, int], looks: Floats | None, covering: Floats
    ) -> None:
        """Correct the tracks by what they were paired with."""
        if not pairs:
            return
        rows = np.array(list(pairs), np.int64)
        columns = np.array(list(pairs.values()), np.int64)
        boxes = detections.boxes[columns]
        long_gone = self._unseen_s(wall_us, rows) > self._options.motion.memory_s / 2
        noise = self._options.motion.noise * (2.0 - np.clip(detections.scores[columns], 0, 1)).astype(np.float64)
        mean, cov = kalman.correct(self._mean[rows], self._cov[rows], boxes, noise)
        fresh_mean, fresh_cov = kalman.start(boxes, self._options.motion)
        self._mean[rows] = np.where(long_gone[:, None, None], fresh_mean, mean)
        self._cov[rows] = np.where(long_gone[:, None, None], fresh_cov, cov)
        for row, column in pairs.items():
            life = self._lives[row]
            life.hits += 1
            life.score = float(detections.scores[column])
            life.last_seen_us = wall_us
            life.detection = column
            if looks is not None and np.isfinite(looks[column]).all():
                self._remember(life, looks[column], clean=bool(covering[column] < self._options.clean), wall_us=wall_us)
            if life.track_id == 0 and life.hits >= self._options.confirm_hits:
                self._confirm(life)

    def _remember(self, life: Life, look: Floats, *, clean: bool, wall_us: int) -> None:
        """Blend a look into the remembered one; a partly covered animal teaches little, it may show its neighbour."""
        life.looked_us = wall_us
        if life.look is None:
            life.look = look.astype(np.float32)
        else:
            weight = max(self._options.learn, 1.0 / (life.looks + 1)) * (1.0 if clean else 0.1)
            blend = (1 - weight) * life.look + weight * look
            life.look = (blend / max(float(np.linalg.norm(blend)), 1e-6)).astype(np.float32)
        life.looks += clean

    def _confirm(self, life: Life) -> None:
        life.track_id = self._next_id
        life.color = color(life.track_id, {other.color for other in self._lives if other.track_id > 0 and other is not life})
        self._next_id += 1

    def _drop(self, wall_us: int) -> None:
        """Forget who was out of sight for too long."""
        limit = {True: self._options.keep_s, False: self._options.tentative_s}
        keep = np.array([wall_us - life.last_seen_us <= limit[life.track_id > 0] * SECOND_US for life in self._lives], bool)
        if keep.all():
            return
        self._lives = [life for life, kept in zip(self._lives, keep, strict=True) if kept]
        self._mean, self._cov = self._mean[keep], self._cov[keep]

    def _give_birth(self, wall_us: int, detections: Detections, columns: Ints, looks: Floats | None) -> None:
        """Sure detections that nobody took start new animals."""
        columns = columns[detections.scores[columns] >= self._options.birth_score]
        seen = np.array([life.last_seen_us == wall_us for life in self._lives], bool)
        taken = list(kalman.boxes_of(self._mean)[seen])
        fresh = []
        for column in columns[np.argsort(-detections.scores[columns], kind="stable")].tolist():
            box = detections.boxes[column]
            if not taken or iou(box[None], np.stack(taken)).max() < self._options.duplicate:
                taken.append(box)
                fresh.append(column)
        if not fresh:
            return
        columns = np.array(fresh, np.int64)
        mean, cov = kalman.start(detections.boxes[columns], self._options.motion)
        self._mean, self._cov = np.concatenate([self._mean, mean]), np.concatenate([self._cov, cov])
        for column in columns.tolist():
            life = Life(0, "", 1, float(detections.scores[column]), wall_us, wall_us, detection=column)
            if looks is not None and np.isfinite(looks[column]).all():
                self._remember(life, looks[column], clean=True, wall_us=wall_us)
            self._lives.append(life)
            if self._options.confirm_hits <= 1:
                self._confirm(life)

    def _tracks(self) -> list[Track]:
        boxes = kalman.boxes_of(self._mean)
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


def _without(columns: Ints, pairs: dict[int, int]) -> Ints:
    """The detections nobody took."""
    taken = set(pairs.values())
    return np.array([c for c in columns.tolist() if c not in taken], np.int64)
