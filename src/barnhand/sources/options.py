"""What can be set about reading cameras."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class YoutubeOptions:
    """How YouTube is asked.

    ``cookies``: a file in Netscape's format of somebody who is signed in; yt-dlp keeps it up to date.
    ``proxies``: asked in turn when YouTube does not answer this machine, ``tries`` times, ``pause_s`` seconds apart.
    ``format``: yt-dlp's choice of size. ``retries``: of each request.
    ``cache``: folder in which the last media address of each stream is kept; it is used again for ``keep_s`` seconds.
    """

    cookies: Path | None = None
    proxies: tuple[str, ...] = field(default=(), repr=False)
    format: str = "best[height<=720]"
    retries: int = 3
    tries: int = 3
    pause_s: float = 2.0
    cache: Path | None = None
    keep_s: float = 5 * 3600


@dataclass(frozen=True)
class SourceOptions:
    """Working defaults for cameras on a stable's network.

    ``open_s``: seconds until a camera that does not answer counts as timed out.
    ``stall_s``: seconds without a video packet after which a camera that did deliver counts as stalled.
    ``probe_bytes``, ``probe_us``: how much of a stream is looked at before the first packet is handed on.
    ``audio``: whether sound is taken at all.
    ``transcode_audio``: whether sound that is not AAC becomes AAC; otherwise it is left out, with one warning.
    """

    open_s: float = 10.0
    stall_s: float = 5.0
    probe_bytes: int = 65_536
    probe_us: int = 500_000
    audio: bool = True
    transcode_audio: bool = True
    youtube: YoutubeOptions = field(default_factory=YoutubeOptions)
