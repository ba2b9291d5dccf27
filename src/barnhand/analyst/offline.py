"""A whole video through the pipeline, every picture answered: analysed, or filled in between two that were."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from barnhand.analyst.pace import Pace
from barnhand.analyst.pipeline import Pipeline
from barnhand.core.frame import Frame
from barnhand.core.observation import Observation
from barnhand.core.time import SECOND_US
from barnhand.gait.interpolate import interpolate
from barnhand.gait.meter import GAITS


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture and what is in it; ``analysed`` is false where it was filled in."""

    frame: Frame
    observation: Observation
    analysed: bool


def watch(frames: Iterable[Frame], pipeline: Pipeline, fps: float | None = None) -> Iterator[Seen]:
    """Every picture with its observation, in order. ``fps`` pictures a second are analysed, all by default.

    The last picture is always analysed, so that nothing is left without an end to fill in from.
    """
    period_us = 0 if fps is None else round(SECOND_US / fps)
    pace, before = Pace(), None
    waiting: list[Frame] = []
    for frame in frames:
        if not pace.due(frame.wall_us, period_us):
            waiting.append(frame)
            continue
        pace.took(frame.wall_us, period_us)
        now = pipeline.process(frame)
        yield from _between(before, waiting, now)
        waiting = []
        yield Seen(frame, now, True)
        before = now
    if waiting:
        last = waiting.pop()
        now = pipeline.process(last)
        yield from _between(before, waiting, now)
        yield Seen(last, now, True)


def _between(a: Observation | None, waiting: list[Frame], b: Observation) -> Iterator[Seen]:
    for frame in waiting:
        filled = None if a is None else interpolate(a, b, frame.pts)
        nobody = Observation(frame.stream_id, frame.wall_us, frame.pts, frame.width, frame.height, ())
        yield Seen(frame, filled or nobody, False)


@dataclass
class HorseSummary:
    """What a video says of one horse. ``seconds`` are those it was seen in; figures come with the seconds they rest on."""

    label: str
    tracks: set[int] = field(default_factory=set)
    seconds: float = 0.0
    first_s: float = 0.0
    last_s: float = 0.0
    speeds: list[float] = field(default_factory=list)
    strides: list[tuple[float, float]] = field(default_factory=list)
    gait_s: dict[str, float] = field(default_factory=dict)
    speed_s: float = 0.0
    stride_s: float = 0.0

    @property
    def speed(self) -> float | None:
        """Mean speed, body lengths a second."""
        return sum(self.speeds) / len(self.speeds) if self.speeds else None

    @property
    def stride(self) -> float | None:
        """Mean stride frequency in Hz, the clearer readings counting more."""
        weight = sum(quality for _, quality in self.strides)
        return sum(hz * quality for hz, quality in self.strides) / weight if weight > 0 else None


class Summary:
    """Adds up a video, horse by horse: named or stranger by its identity, else by its track."""

    def __init__(self) -> None:
        self.pictures = 0
        self.analysed = 0
        self.seconds = 0.0
        self._horses: dict[str, HorseSummary] = {}
        self._keys: dict[int, str] = {}
        self._last_us: int | None = None
        self._start_us = 0

    def add(self, seen: Seen) -> None:
        """Take in the next picture."""
        wall_us = seen.frame.wall_us
        if self._last_us is None:
            self._start_us = wall_us
        step = 0.0 if self._last_us is None else min((wall_us - self._last_us) / SECOND_US, 1.0)
        self._last_us = wall_us
        self.pictures += 1
        self.analysed += seen.analysed
        self.seconds += step
        for horse in seen.observation.horses:
            summary = self._of(horse.track_id, horse.identity.horse_id, horse.identity.name)
            at = (wall_us - self._start_us) / SECOND_US
            if summary.seconds == 0.0 and not summary.speeds:
                summary.first_s = at
            summary.last_s = at
            summary.seconds += step
            speed, hz, quality = (horse.metrics.get(k) for k in ("velocity", "stride_frequency", "stride_quality"))
            gait = horse.metrics.get("gait")
            if speed is not None:
                summary.speeds.append(speed)
                summary.speed_s += step
            if hz is not None and quality is not None:
                summary.strides.append((hz, quality))
                summary.stride_s += step
            if gait is not None:
                name = GAITS[int(gait)]
                summary.gait_s[name] = summary.gait_s.get(name, 0.0) + step

    def horses(self) -> list[HorseSummary]:
        """Every horse, the longest seen first."""
        return sorted(self._horses.values(), key=lambda horse: -horse.seconds)

    def _of(self, track_id: int, horse_id: str | None, name: str | None) -> HorseSummary:
        """A track's summary; once the track has a name, what was seen of it before goes there too."""
        key = horse_id or self._keys.get(track_id, f"track {track_id}")
        before = self._keys.get(track_id)
        if before is not None and before != key and before.startswith("track ") and before in self._horses:
            old = self._horses.pop(before)
            if key not in self._horses:
                self._horses[key] = old
            else:
                _join(self._horses[key], old)
        self._keys[track_id] = key
        summary = self._horses.setdefault(key, HorseSummary(name or f"Horse {track_id}"))
        summary.label = name or summary.label
        summary.tracks.add(track_id)
        return summary


def _join(into: HorseSummary, other: HorseSummary) -> None:
    into.tracks |= other.tracks
    into.seconds += other.seconds
    into.first_s, into.last_s = min(into.first_s, other.first_s), max(into.last_s, other.last_s)
    into.speeds += other.speeds
    into.strides += other.strides
    into.speed_s += other.speed_s
    into.stride_s += other.stride_s
    for gait, seconds in other.gait_s.items():
        into.gait_s[gait] = into.gait_s.get(gait, 0.0) + seconds
