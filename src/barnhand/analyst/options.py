"""How an analyst works."""

from dataclasses import dataclass, field

from barnhand.analyst.pipeline import PipelineOptions


@dataclass(frozen=True)
class AnalystOptions:
    """Settings of an ``Analyst``."""

    fps: float = 5.0
    """Pictures a second analysed of each camera when there is time …"""
    least_fps: float = 1.0
    """… and when there is least; below that pictures are left out as they come."""
    newest_s: float = 2.0
    """A picture older than this is not analysed live: it is left to the analysis of history."""
    together: int = 1
    """Cameras whose pictures are detected in one call; more than one pays on a GPU only."""
    checkpoint_s: float = 1.0
    """How often the tracks are saved, so that a successor goes on with them."""
    state_s: float = 2.0
    """How often a camera's state is told."""
    joined_s: float = 2.0
    """Analysed pictures no further apart than this leave no hole in the coverage."""
    history: bool = True
    """Whether recordings that were not analysed live are analysed when there is time."""
    history_after_s: float = 20.0
    """A recording is looked at this long after its end: by then its live analysis is over."""
    history_retry_s: float = 60.0
    """Pause before a failed recording is tried again."""
    tries: int = 3
    """Attempts at one recording."""
    pipeline: PipelineOptions = field(default_factory=PipelineOptions)
    """Settings of the stages."""

    def __post_init__(self) -> None:
        if not 0 < self.least_fps <= self.fps:
            raise ValueError(f"an analyst wants 0 < least_fps <= fps, got {self.least_fps} and {self.fps}")
        if self.together < 1 or self.tries < 1:
            raise ValueError("together and tries are at least 1")
