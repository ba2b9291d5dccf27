"""What can be set about recording."""

from dataclasses import dataclass, field

from barnhand.sources.options import SourceOptions


@dataclass(frozen=True)
class TimelineOptions:
    """How camera time becomes wall time; docs/design/time.md says why.

    ``settle_s``: seconds of packets held at the start, until what piled up during connecting has drained.
    ``window_s``: seconds over which the least delay is looked for before the timeline is corrected.
    ``slew``: the largest correction, as a share of elapsed time.
    ``jump_s``: a wall clock set by more than this is a jump and not drift.
    ``back_s``: a clock set back by up to this is waited for; beyond, the timeline starts anew in a new run.
    ``leap_s``: camera timestamps that run ahead of real time by more than this, or back, have been restarted.
    """

    settle_s: float = 0.3
    window_s: float = 30.0
    slew: float = 0.002
    jump_s: float = 0.5
    back_s: float = 60.0
    leap_s: float = 3.0


@dataclass(frozen=True)
class RecorderOptions:
    """Working defaults for a stable's machine.

    ``chunk_s``: seconds after which a chunk ends at the next key frame.
    ``sync_s``: seconds after which written pictures are forced to the disk; a power cut costs no more.
    ``retention_s``: seconds recordings are kept; ``None`` for ever. ``retention_bytes``: most space they may take.
    ``free_bytes``: space that is always left free on their disk. ``clean_s``: seconds between looks at that.
    ``queue_bytes``: pictures kept for a hub that is slow; the oldest are dropped beyond it.
    ``gather_s``: seconds the publisher waits for more pictures to send them together.
    ``refresh_s``: seconds after which a camera's init segment and state are published again, should the hub be a new one.
    """

    chunk_s: float = 10.0
    sync_s: float = 5.0
    retention_s: float | None = 14 * 86_400.0
    retention_bytes: int | None = None
    free_bytes: int = 2_000_000_000
    clean_s: float = 10.0
    queue_bytes: int = 32 << 20
    gather_s: float = 0.002
    refresh_s: float = 30.0
    source: SourceOptions = field(default_factory=SourceOptions)
    timeline: TimelineOptions = field(default_factory=TimelineOptions)
