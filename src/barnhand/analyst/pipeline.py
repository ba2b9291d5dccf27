"""One camera's pictures to observations: the one place that knows the order of the stages.

Used live, for history and offline: what comes out depends on the pictures alone, never on when they are looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from barnhand.analyst.glimpses import is_grey, kind_of, qualities
from barnhand.analyst.networks import track_options
from barnhand.analyst.stages import Stages
from barnhand.core.detection import Detections
from barnhand.core.frame import Frame
from barnhand.core.geometry import Floats, clip
from barnhand.core.identity import Certainty, Identity
from barnhand.core.observation import HorseObservation, Observation
from barnhand.core.pose import Pose
from barnhand.core.track import Track
from barnhand.gait.meter import GaitMeter, GaitOptions
from barnhand.identity.evidence import Glimpse
from barnhand.identity.gallery import Gallery
from barnhand.track import Tracker, TrackOptions
from barnhand.track.kalman import Ints

NOBODY = Identity(None, None, Certainty.UNKNOWN)


@dataclass(frozen=True)
class PipelineOptions:
    """Settings of the stages that have a memory of their own."""

    track: TrackOptions = field(default_factory=TrackOptions)
    """How animals are followed."""
    gait: GaitOptions = field(default_factory=GaitOptions)
    """How movement is measured."""


class Pipeline:
    """Detect, track, identify, pose, gait: one stream, pictures in order. Not shared between threads; ``gallery`` may be."""

    def __init__(
        self,
        stages: Stages,
        gallery: Gallery | None = None,
        options: PipelineOptions | None = None,
        first_id: int = 1,
        lane: str = "",
    ) -> None:
        """``first_id`` numbers the first track; ``lane`` keeps two pipelines of one stream apart in the gallery."""
        self._stages = stages
        self._gallery = gallery
        self._lane = lane
        self._options = options or PipelineOptions()
        self._following = track_options(stages.embed, self._options.track)
        self._tracker = Tracker(self._following, first_id)
        self._gait = GaitMeter(self._options.gait)
        self.tracks: Sequence[Track] = ()

    def process(self, frame: Frame, detections: Detections | None = None) -> Observation:
        """What is in one picture, later than all before. ``detections`` where they were already made, in a batch."""
        found = self._stages.detect.detect([frame.image])[0] if detections is None else detections
        looks: dict[int, Floats] = {}
        embed = self._stages.embed

        def look(which: Ints) -> Floats:
            assert embed is not None
            vectors = embed.embed(frame.image, found.boxes[which])
            looks.update(zip(which.tolist(), vectors, strict=True))
            return vectors

        self.tracks = self._tracker.update(frame, found, look if embed is not None else None)
        seen = [track for track in self.tracks if track.seen]
        boxes = _boxes(found, seen)
        poses = self._poses(frame, seen, boxes)
        names = self._names(frame, found, seen, looks, poses)
        metrics = self._gait.update(frame.wall_us, self.tracks, poses, self._tracker.camera_motion)
        horses = tuple(
            HorseObservation(
                track_id=track.track_id,
                color=track.color,
                box=box,
                score=track.score,
                identity=names.get(track.track_id, NOBODY),
                pose=poses.get(track.track_id),
                metrics=metrics.get(track.track_id, {}),
            )
            for track, box in zip(seen, clip(boxes, frame.width, frame.height), strict=True)
        )
        return Observation(frame.stream_id, frame.wall_us, frame.pts, frame.width, frame.height, horses)

    def state(self) -> bytes:
        """What a successor needs to go on with the same track ids."""
        return self._tracker.state()

    def restore(self, data: bytes) -> None:
        """Go on from ``state()`` of a predecessor. Raises ``ValueError`` when ``data`` is not one."""
        self._tracker = Tracker.restore(data, self._following)

    def _poses(self, frame: Frame, seen: Sequence[Track], boxes: Floats) -> dict[int, Pose]:
        if self._stages.pose is None or not seen:
            return {}
        poses = self._stages.pose.estimate(frame.image, boxes)
        return {track.track_id: pose for track, pose in zip(seen, poses, strict=True)}

    def _names(
        self,
        frame: Frame,
        found: Detections,
        seen: Sequence[Track],
        looks: dict[int, Floats],
        poses: dict[int, Pose],
    ) -> dict[int, Identity]:
        if self._gallery is None:
            return {}
        quality = qualities(found.boxes, found.scores, frame.width, frame.height)
        grey = bool(looks) and is_grey(frame.image)
        glimpses = [
            Glimpse(
                track.track_id,
                looks[track.detection],
                float(quality[track.detection]),
                kind_of(poses.get(track.track_id), found.boxes[track.detection], grey=grey),
            )
            for track in seen
            if track.detection in looks
        ]
        track_ids = [track.track_id for track in seen]
        return self._gallery.identify(frame.stream_id, frame.wall_us, track_ids, glimpses, self._lane)


def _boxes(found: Detections, seen: Sequence[Track]) -> Floats:
    """Where the tracks are in this very picture (n, 4), x1 y1 x2 y2: the detector's boxes.

    The tracker's own lie half way to its filter, which serves identity and lags a horse that sets off or turns.
    """
    rows = [track.box if track.detection is None else found.boxes[track.detection] for track in seen]
    return np.array(rows, np.float32).reshape(-1, 4)
