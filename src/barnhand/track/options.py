"""How animals are followed."""

from dataclasses import dataclass, field

from barnhand.track.camera import CameraOptions
from barnhand.track.kalman import MotionOptions


@dataclass(frozen=True)
class TrackOptions:
    """Settings of a ``Tracker``. Similarities are cosines of unit-length embeddings, affinities lie in 0..1."""

    high_score: float = 0.45
    """Detections at least this sure are associated first and by appearance too."""
    low_score: float = 0.1
    """Detections below this are ignored; those between only continue a track that is near."""
    birth_score: float = 0.45
    """A new animal needs a detection this sure."""
    confirm_hits: int = 2
    """Sightings before a new animal gets an id."""
    tentative_s: float = 0.5
    """An animal without an id yet is dropped when unseen for longer."""
    keep_s: float = 10.0
    """An animal with an id is dropped when unseen for longer."""
    accept: float = 0.22
    """Affinity below which a track and a detection are never the same animal, by position …"""
    accept_alike: float = 0.4
    """… and by appearance: 0 is as two animals are alike, 1 as one is."""
    accept_low: float = 0.5
    """The same for unsure detections, which are associated by position alone …"""
    near_s: float = 1.0
    """… with animals seen at most this long ago."""
    margin: float = 0.0
    """Boxes are compared after each was widened on every side by this share of its size …"""
    margin_growth: float = 0.25
    """… and this much more for each second the animal was out of sight …"""
    margin_most: float = 0.5
    """… at most this."""
    appearance: float = 0.2
    """Share of appearance in the affinity of an animal whose place is known exactly."""
    appearance_most: float = 0.8
    """Share of appearance where position settles nothing."""
    moment_s: float = 0.1
    """Seen less than this long ago, an animal's appearance has proportionally less of a share."""
    lost: float = 0.2
    """Doubt about where an animal in plain sight is, in sizes (a standard deviation), from which position settles nothing."""
    different: float = 0.35
    """Similarity that two different animals typically have: counts as affinity 0. The embedding network says, as …"""
    same: float = 0.85
    """… the similarity that two pictures of one animal typically have: counts as affinity 1."""
    recall: float = 0.58
    """Similarity from which an animal is taken up again at a place its motion does not explain."""
    reach: float = 1.5
    """How fast such an animal may have moved, in box sizes a second."""
    learn: float = 0.08
    """Weight of a new look in the remembered appearance."""
    refresh_s: float = 0.4
    """In plain sight, an animal's appearance is looked at this often."""
    duplicate: float = 0.55
    """A detection that overlaps a seen animal by this IoU starts no new one."""
    motion: MotionOptions = field(default_factory=MotionOptions)
    """How animals move."""
    camera: CameraOptions = field(default_factory=CameraOptions)
    """How the camera's own motion is measured."""
