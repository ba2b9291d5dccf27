"""One door to every kind of camera."""

from barnhand.core.stream import SourceType, Stream
from barnhand.core.time import Clock
from barnhand.sources.file import FileSource
from barnhand.sources.network import NetworkSource
from barnhand.sources.options import SourceOptions
from barnhand.sources.source import Source
from barnhand.sources.youtube import YoutubeSource


def open_source(stream: Stream, options: SourceOptions, clock: Clock) -> Source:
    """Connect to a stream and learn its format; use the result in a ``with`` statement.

    ``stream.config`` keys read here: ``loop`` and ``pace`` (files), ``transport`` ``tcp`` or ``udp`` (RTSP). Raises
    ``SourceError``; a camera that does not answer does so within ``options.open_s``.
    """
    if stream.source_type is SourceType.FILE:
        return FileSource(stream, options, clock)
    if stream.source_type is SourceType.YOUTUBE:
        return YoutubeSource(stream, options, clock)
    return NetworkSource(stream, options, clock)
