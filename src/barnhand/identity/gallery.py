"""Names for tracks: who is who over days, cameras and rugs. See ``docs/design/identity.md``."""

import json
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from barnhand.core.geometry import Floats
from barnhand.core.identity import Certainty, Identity
from barnhand.core.time import SECOND_US
from barnhand.identity.decision import Calibration, leads, probability, together
from barnhand.identity.evidence import Evidence, Glimpse
from barnhand.identity.looks import Horse, Look, LookBook, deleted_row, horse_row, look_of, look_row

Journal = Callable[[str, Mapping[str, Any]], None]
"""Is told every change as ``(kind, row)``; kinds are ``horse``, ``look`` and ``look_deleted``."""

UNKNOWN = Identity(None, None, Certainty.UNKNOWN)
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:barnhand:stranger")


@dataclass(frozen=True)
class GalleryOptions:
    """When a name is given. Probabilities lie in 0..1."""

    calibration: Calibration = field(default_factory=Calibration)
    """How the embedder's similarities are read."""
    confirmed: float = 0.9
    """Probability from which a name is confirmed …"""
    confirm_glimpses: int = 3
    """… when it rests on this many glimpses."""
    probable: float = 0.6
    """Probability from which a name is probable."""
    keep: float = 0.35
    """A name that was given is taken back below this probability."""
    glimpses: int = 8
    """Best pictures kept of a track."""
    apart_s: float = 0.4
    """Glimpses nearer in time count once."""
    least_quality: float = 0.3
    """Worse glimpses are not evidence."""
    stranger_glimpses: int = 5
    """Good glimpses after which somebody nobody knows gets a name …"""
    stranger_s: float = 2.0
    """… when they span this many seconds …"""
    stranger: float = 0.2
    """… and nobody known is more probable than this."""
    learn: float = 0.97
    """Probability from which a track teaches a horse new looks."""
    learn_s: float = 5.0
    """Least time between two looks learned of a horse."""
    novel: float = 0.92
    """A look nearer than this to one the horse has teaches nothing."""
    looks: int = 24
    """Looks kept of a horse."""
    track_s: float = 30.0
    """A track unseen for this long is forgotten; its horse is not."""
    stranger_days: float = 30.0
    """A stranger nobody named and nobody saw again is forgotten."""


class Gallery:
    """The horses of a yard. Safe to share between threads and streams of one process.

    ``network`` names what makes the vectors of length ``size`` (``Embedder.mark``); looks of another are passed over.
    """

    def __init__(
        self, size: int, options: GalleryOptions | None = None, journal: Journal | None = None, network: str = ""
    ) -> None:
        self._network = network
        self._options = options or GalleryOptions()
        self._journal = journal or (lambda _kind, _row: None)
        self._book = LookBook(size, self._options.looks)
        self._tracks: dict[tuple[str, int], Evidence] = {}
        self._learned_us: dict[str, int] = {}
        self._seen_us: dict[str, int] = {}
        self._lock = threading.RLock()

    def identify(
        self, stream_id: str, wall_us: int, track_ids: Sequence[int], glimpses: Sequence[Glimpse], lane: str = ""
    ) -> dict[int, Identity]:
        """Who the tracks seen in one picture are. ``glimpses`` are those of this picture, any number a track or none.

        ``lane`` tells apart what looks at different times of one stream at once: live pictures and recordings.
        """
        with self._lock:
            self._forget(stream_id, lane, wall_us)
            options = self._options
            for track_id in track_ids:
                key = stream_id, track_id
                evidence = self._tracks.setdefault(key, Evidence(options.glimpses, options.apart_s, lane))
                evidence.last_us = wall_us
            for glimpse in glimpses:
                if glimpse.quality >= options.least_quality and (stream_id, glimpse.track_id) in self._tracks:
                    self._tracks[stream_id, glimpse.track_id].add(wall_us, glimpse)
            decided = self._decide(stream_id, track_ids)
            if self._welcome(stream_id, wall_us, track_ids, decided):
                decided = self._decide(stream_id, track_ids)
            self._learn(stream_id, wall_us, glimpses, decided)
            for identity, _ in decided.values():
                if identity.horse_id is not None:
                    self._seen_us[identity.horse_id] = wall_us
            return {track_id: decided.get(track_id, (UNKNOWN, 0.0))[0] for track_id in track_ids}

    def horses(self) -> list[Horse]:
        """Everyone known, oldest first."""
        with self._lock:
            return self._book.horses()

    # -- what people say

    def rename(self, horse_id: str, name: str) -> None:
        """A person names a horse: it is no stranger any more."""
        with self._lock:
            horse = self._book.get(horse_id)
            if horse is not None:
                self._book.put(Horse(horse.id, name, False, horse.created_us))

    def merge(self, horse_id: str, into: str) -> None:
        """Two horses were one."""
        with self._lock:
            self._book.merge(horse_id, into)
            for evidence in self._tracks.values():
                evidence.horse_id = None if evidence.horse_id is None else self._book.real(evidence.horse_id)

    def refuse(self, stream_id: str, track_id: int, horse_id: str) -> None:
        """This track is not that horse: it never gets the name again, and what it taught is forgotten."""
        with self._lock:
            horse_id = self._book.real(horse_id)
            self._unlearn(horse_id, (stream_id, track_id))
            evidence = self._tracks.get((stream_id, track_id))
            if evidence is not None:
                evidence.refused.add(horse_id)
                if evidence.horse_id == horse_id:
                    evidence.horse_id, evidence.founder = None, False

    def assign(self, stream_id: str, track_id: int, horse_id: str) -> None:
        """This track is that horse: its glimpses, and what it taught others, become looks a person vouched for."""
        with self._lock:
            horse_id = self._book.real(horse_id)
            if self._book.get(horse_id) is None:
                return
            for other in self._book.horses():
                for look in self._unlearn(other.id, (stream_id, track_id)) if other.id != horse_id else ():
                    self._teach(horse_id, replace(look, vouched=True))
            evidence = self._tracks.get((stream_id, track_id))
            if evidence is None:
                return
            evidence.horse_id, evidence.founder = horse_id, True
            evidence.refused.discard(horse_id)
            for at, glimpse in evidence.glimpses:
                self._teach(horse_id, _look(glimpse, at, stream_id, vouched=True))

    # -- other processes and restarts

    def apply(self, kind: str, row: Mapping[str, Any]) -> None:
        """Take in a change another process or the store made, or a person; twice is once.

        Kinds: ``horse``, ``look``, ``look_deleted`` (rows of ``identity.looks``), ``merge {horse_id, into}``, ``refuse``
        and ``assign {stream_id, track_id, horse_id}``. The journal is told the looks that the last two take or give,
        nothing else. Raises ``KeyError`` or ``ValueError`` for a row that is not one.
        """
        with self._lock:
            if kind == "horse":
                self._put(Horse(str(row["id"]), str(row["name"]), bool(row["stranger"]), int(row.get("created_us", 0))))
                self._seen_us[str(row["id"])] = max(int(row.get("seen_us", 0)), self._seen_us.get(str(row["id"]), 0))
            elif kind == "look":
                if row.get("network", "") == self._network:
                    self._book.add(str(row["horse_id"]), look_of(row))
            elif kind == "look_deleted":
                self._book.drop(str(row["horse_id"]), str(row["kind"]), int(row["taken_us"]))
            elif kind == "merge":
                self.merge(str(row["horse_id"]), str(row["into"]))
            elif kind == "refuse":
                self.refuse(str(row["stream_id"]), int(row["track_id"]), str(row["horse_id"]))
            elif kind == "assign":
                self.assign(str(row["stream_id"]), int(row["track_id"]), str(row["horse_id"]))
            else:
                raise ValueError(f"the gallery knows no change {kind!r}")

    def load(self, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """``apply`` many, e.g. everything the store has."""
        for kind, row in rows:
            self.apply(kind, row)

    def dump(self) -> bytes:
        """Everything known, for a start without the database: JSON, read back by ``loads``."""
        with self._lock:
            rows = list(self._book.rows(self._network))
            rows = [
                (kind, {**row, "seen_us": self._seen_us.get(row["id"], 0)} if kind == "horse" else row) for kind, row in rows
            ]
            return json.dumps({"version": 1, "rows": rows}, separators=(",", ":")).encode()

    def loads(self, data: bytes) -> None:
        """Take in what ``dump`` wrote. Raises ``ValueError`` for anything else."""
        try:
            tree = json.loads(data)
            if tree["version"] != 1:
                raise ValueError(f"the gallery's cache is of version {tree['version']}, this is version 1")
            self.load((kind, row) for kind, row in tree["rows"])
        except (KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"this is not a gallery's cache: {error}") from error

    # -- inside

    def _put(self, horse: Horse) -> None:
        """Add or rename; of two strangers by one name, the younger takes the next free one, in every process alike."""
        twin = next((h for h in self._book.horses() if h.name == horse.name and h.id != horse.id), None)
        if twin is not None and horse.stranger and twin.stranger:
            younger = max(twin, horse, key=lambda h: (h.created_us, h.id))
            younger.name = self._book.stranger_name()
        self._book.put(horse)

    def _similarities(self, evidence: Evidence) -> Floats:
        """Similarity of a track to every horse of the book, ``(h,)``: over its glimpses, the better count more."""
        if evidence.similarities is None or evidence.revision != self._book.revision:
            found = self._book.similarities(evidence.vectors)
            evidence.similarities = np.asarray(evidence.weights @ found, np.float32)
            evidence.revision = self._book.revision
        return evidence.similarities

    def _odds(self, stream_id: str, track_ids: Sequence[int]) -> tuple[list[int], Floats, Floats]:
        """Tracks with evidence, and their similarities and log-odds by horse, ``(t, h)`` each."""
        tracks = [t for t in track_ids if self._tracks[stream_id, t].glimpses]
        order = self._book.order
        if not tracks or not order:
            return tracks, np.zeros((len(tracks), 0), np.float32), np.zeros((len(tracks), 0), np.float32)
        similar = np.stack([self._similarities(self._tracks[stream_id, t]) for t in tracks])
        odds = self._options.calibration.log_odds(similar, leads(similar))
        for row, track_id in enumerate(tracks):
            evidence = self._tracks[stream_id, track_id]
            for horse_id in evidence.refused & set(order):
                odds[row, order.index(horse_id)] = -12
            if evidence.founder and evidence.horse_id in order:
                odds[row, order.index(evidence.horse_id)] = 12
        return tracks, similar, odds

    def _decide(self, stream_id: str, track_ids: Sequence[int]) -> dict[int, tuple[Identity, float]]:
        """Identity and probability of each track with evidence."""
        options, order = self._options, self._book.order
        tracks, similar, odds = self._odds(stream_id, track_ids)
        held = np.zeros(odds.shape, bool)
        for row, track_id in enumerate(tracks):
            horse_id = self._tracks[stream_id, track_id].horse_id
            if horse_id in order:
                held[row, order.index(horse_id)] = True
        least = _log_odds(options.probable)
        # A name once given is kept until it is improbable, and defends itself against one as probable.
        bar = np.where(held, _log_odds(options.keep), least)
        bonus = least - _log_odds(options.keep)
        given = together(np.asarray(odds + held * bonus, np.float32), odds >= bar, least)
        decided: dict[int, tuple[Identity, float]] = {}
        for row, track_id in enumerate(tracks):
            evidence = self._tracks[stream_id, track_id]
            column = given.get(row)
            if column is None:
                evidence.horse_id = None
                best = float(similar[row].max()) if similar.shape[1] else 0.0
                decided[track_id] = (Identity(None, None, Certainty.UNKNOWN, best), 0.0)
                continue
            horse = self._book.get(order[column])
            assert horse is not None
            evidence.horse_id = horse.id
            likely = float(probability(odds[row, column]))
            certainty = self._certainty(horse, likely, len(evidence.glimpses))
            decided[track_id] = (Identity(horse.id, horse.name, certainty, float(similar[row, column])), likely)
        return decided

    def _certainty(self, horse: Horse, likely: float, glimpses: int) -> Certainty:
        if horse.stranger:
            return Certainty.UNKNOWN
        enough = glimpses >= self._options.confirm_glimpses
        return Certainty.CONFIRMED if likely >= self._options.confirmed and enough else Certainty.PROBABLE

    def _welcome(
        self, stream_id: str, wall_us: int, track_ids: Sequence[int], decided: Mapping[int, tuple[Identity, float]]
    ) -> bool:
        """Give tracks that are nobody known a name and looks; true when there was one."""
        options, order = self._options, self._book.order
        taken = {identity.horse_id for identity, _ in decided.values()}
        tracks, _, odds = self._odds(stream_id, track_ids)
        welcomed = False
        for row, track_id in enumerate(tracks):
            evidence = self._tracks[stream_id, track_id]
            if evidence.horse_id is not None or evidence.taken < options.stranger_glimpses:
                continue
            free = [k for k, horse_id in enumerate(order) if horse_id not in taken]
            likely = float(probability(odds[row, free].max())) if free else 0.0
            # Somebody who is the spitting image of a horse in the same picture is another one, but that takes longer.
            patience = 1 if not order or float(probability(odds[row].max())) < options.stranger else 3
            if likely >= options.stranger or evidence.seconds < options.stranger_s * patience:
                continue
            name = self._book.stranger_name()
            horse = Horse(str(uuid.uuid5(_NAMESPACE, f"{stream_id}/{track_id}/{wall_us}")), name, True, wall_us)
            self._book.put(horse)
            self._journal("horse", horse_row(horse))
            evidence.horse_id, evidence.founder = horse.id, True
            for at, glimpse in sorted(evidence.glimpses, key=lambda item: -item[1].quality)[: options.stranger_glimpses]:
                self._teach(horse.id, _look(glimpse, at, stream_id))
            welcomed = True
        return welcomed

    def _learn(
        self, stream_id: str, wall_us: int, glimpses: Sequence[Glimpse], decided: Mapping[int, tuple[Identity, float]]
    ) -> None:
        """New looks from tracks that are as good as certain."""
        options = self._options
        for glimpse in glimpses:
            identity, likely = decided.get(glimpse.track_id, (UNKNOWN, 0.0))
            if identity.horse_id is None or likely < options.learn or glimpse.quality < options.least_quality * 2:
                continue
            if wall_us - self._learned_us.get(identity.horse_id, -(10**18)) < options.learn_s * SECOND_US:
                continue
            near = self._book.similarities(glimpse.vector[None])[0]
            column = self._book.order.index(identity.horse_id)
            if near[column] >= options.novel or near[column] < near.max():
                continue
            self._teach(identity.horse_id, _look(glimpse, wall_us, stream_id))
            self._learned_us[identity.horse_id] = wall_us

    def _teach(self, horse_id: str, look: Look) -> None:
        gone = self._book.add(horse_id, look)
        if gone is None:
            return
        self._journal("look", look_row(horse_id, look, self._network))
        for old in gone:
            self._journal("look_deleted", deleted_row(horse_id, old))

    def _unlearn(self, horse_id: str, track: tuple[str, int]) -> Sequence[Look]:
        gone = self._book.forget_track(horse_id, track)
        for look in gone:
            self._journal("look_deleted", deleted_row(horse_id, look))
        return gone

    def _forget(self, stream_id: str, lane: str, wall_us: int) -> None:
        gone = [
            key
            for key, evidence in self._tracks.items()
            if (key[0], evidence.lane) == (stream_id, lane) and wall_us - evidence.last_us > self._options.track_s * SECOND_US
        ]
        for key in gone:
            del self._tracks[key]
        limit = self._options.stranger_days * 86_400 * SECOND_US
        for horse in self._book.horses() if gone else []:
            newest = max([horse.created_us, self._seen_us.get(horse.id, 0), *(look.taken_us for look in horse.looks)])
            if horse.stranger and wall_us - newest > limit:
                self._book.remove(horse.id)


def _look(glimpse: Glimpse, wall_us: int, stream_id: str, *, vouched: bool = False) -> Look:
    """A look is known by horse, kind and time: the track sets apart two of one picture, should their horses be merged."""
    taken_us = wall_us + glimpse.track_id % 1000
    return Look(glimpse.vector, glimpse.kind, taken_us, (stream_id, glimpse.track_id), vouched)


def _log_odds(p: float) -> float:
    return float(np.log(p / (1 - p)))
