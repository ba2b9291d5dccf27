"""What can be set about converting video."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TranscodeOptions:
    """Working defaults.

    ``live``: cameras converted live at once. ``width``: most px of a converted picture's width.
    ``threads``: of each decoder and encoder; handing pictures over costs more than a second one gains on a busy machine.
    ``quality``: x264's constant rate factor, less is better.
    ``bit_rate``: most bits a second. ``key_pictures``: pictures between two key frames.
    ``behind_s``: seconds a live conversion may be behind before it goes on at the newest key frame.
    ``linger_s``: seconds a live conversion goes on after the last viewer left.
    ``cache_bytes``: most space that converted recordings may take.
    ``free_bytes``: free space that is left alone, at most a tenth of the disk.
    ``clip_s``: seconds after which a clip that nobody fetched is removed.
    """

    live: int = 1
    width: int = 1280
    threads: int = 1
    quality: int = 23
    bit_rate: int = 4_000_000
    key_pictures: int = 50
    behind_s: float = 1.0
    linger_s: float = 5.0
    cache_bytes: int = 1_000_000_000
    free_bytes: int = 2_000_000_000
    clip_s: float = 3600.0
