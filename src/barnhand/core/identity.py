"""Which horse a track is."""

from dataclasses import dataclass
from enum import StrEnum


class Certainty(StrEnum):
    """How sure the name is."""

    CONFIRMED = "confirmed"
    PROBABLE = "probable"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Identity:
    """A name for a track.

    ``horse_id`` is the store's UUID as text; it is set for strangers too once they have a stable name such as
    "Unknown 3". ``similarity`` is the cosine similarity the decision was made on, -1..1.
    """

    horse_id: str | None
    name: str | None
    certainty: Certainty
    similarity: float = 0.0
