"""The real stages: the networks in use on this machine."""

from collections.abc import Callable
from dataclasses import replace

from barnhand.analyst.stages import EmbedStage, Stages
from barnhand.core.errors import NotFoundError
from barnhand.detect import DetectOptions, Detector
from barnhand.identity.decision import Calibration
from barnhand.identity.embedder import Embedder, EmbedOptions
from barnhand.identity.gallery import Gallery, GalleryOptions
from barnhand.networks.session import SessionOptions
from barnhand.networks.shelf import Shelf
from barnhand.pose import PoseEstimator, PoseOptions
from barnhand.track import TrackOptions

LOW_SCORE = 0.1
"""Detections below the usual threshold still continue a track that is near (``TrackOptions.low_score``)."""

RECALL_SPREADS = 3.5
"""Log-odds from which looks alone bring a track back to where its motion does not lead: 33 to 1."""

Missing = Callable[[str, NotFoundError], None]


def load_stages(shelf: Shelf, session: SessionOptions, missing: Missing | None = None) -> Stages:
    """Open the networks in use. Without ``missing``, or without a detector, one that is not here is a ``NotFoundError``."""
    detector = Detector.load(shelf, DetectOptions(session=session, threshold=LOW_SCORE))
    pose: PoseEstimator | None = None
    embedder: Embedder | None = None
    try:
        pose = PoseEstimator.load(shelf, PoseOptions(session=session))
    except NotFoundError as error:
        if missing is None:
            raise
        missing("pose", error)
    try:
        embedder = Embedder.load(shelf, EmbedOptions(session=session))
    except NotFoundError as error:
        if missing is None:
            raise
        missing("recognition", error)
    return Stages(detector, pose, embedder)


def gallery_options(embedder: Embedder) -> GalleryOptions:
    """A gallery's settings for what the embedder says of its similarities (``barnhand.distances``)."""
    return GalleryOptions(calibration=_calibration(embedder))


def track_options(embed: EmbedStage | None, options: TrackOptions) -> TrackOptions:
    """A tracker's settings for what the embedder says of its similarities; as they are where it says nothing."""
    calibration = _calibration(embed)
    if calibration == Calibration():
        return options
    recall = calibration.even + RECALL_SPREADS * calibration.spread
    return replace(options, same=calibration.same, different=calibration.different, recall=recall)


def _calibration(embed: EmbedStage | None) -> Calibration:
    distances = getattr(embed.network, "distances", {}) if isinstance(embed, Embedder) else {}
    return Calibration.of_distances(distances)


def gallery_for(stages: Stages) -> Gallery | None:
    """An empty gallery for the stages' embedder; ``None`` when there is none."""
    if not isinstance(stages.embed, Embedder):
        return None
    return Gallery(stages.embed.size, gallery_options(stages.embed), network=stages.embed.mark)
