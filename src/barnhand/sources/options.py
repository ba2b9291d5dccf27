"""What can be set about reading cameras."""

from dataclasses import dataclass


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
