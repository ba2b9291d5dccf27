"""One camera converted live, for all who watch it: hub in, hub out."""

import logging
import threading
from collections.abc import Sequence

from barnhand.core.conversion import ConversionState, ConversionStatus
from barnhand.core.errors import HubError, MediaError
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.time import PTS_HZ, Clock
from barnhand.hub.hub import Hub, LiveReader
from barnhand.hub.keys import converted
from barnhand.transcode.converter import Conversion, Converter, Untouched, needs_conversion
from barnhand.transcode.options import TranscodeOptions

_LOG = logging.getLogger(__name__)
_READ_MS = 500
_BATCH = 3000  # fragments of one read: all that a hub holds of a camera
_SAY_AGAIN_S = 2.0  # an answer holds three times as long
_PAUSE_S = 1.0  # before another attempt after a failure


class Slots:
    """How many cameras may be converted at once; one that waits gets the place that becomes free first."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._lock = threading.Lock()
        self._taken: set[str] = set()

    def take(self, stream_id: str) -> bool:
        """Have a place, or keep it."""
        with self._lock:
            if stream_id in self._taken or len(self._taken) < self.count:
                self._taken.add(stream_id)
                return True
            return False

    def give_back(self, stream_id: str) -> None:
        """Need none any more."""
        with self._lock:
            self._taken.discard(stream_id)

    @property
    def refusal(self) -> str:
        """Why there is no place, in a sentence."""
        if self.count == 0:
            return "Converting is switched off on this machine; set BARNHAND_CONVERSIONS to allow it."
        others = "another camera is" if self.count == 1 else f"{self.count} other cameras are"
        return (
            f"This camera cannot be converted now: {others} being converted, the most this machine does at once. "
            "It begins as soon as one of them is no longer watched."
        )


def catch_up(items: Sequence[InitSegment | Fragment], behind: int) -> "tuple[Sequence[InitSegment | Fragment], int]":
    """What of a batch is still worth converting, and from which ``pts`` on it is worth showing.

    A batch is all that came while the one before was converted, so one that spans more than ``behind`` ticks says that
    conversion is too slow, or has just begun. Then everything before its newest key frame is left out, and pictures older
    than ``behind`` are decoded only.
    """
    pictures = [item for item in items if isinstance(item, Fragment) and item.video]
    if not pictures or pictures[-1].dts - pictures[0].dts <= behind:
        return items, 0
    keys = [index for index, item in enumerate(items) if isinstance(item, Fragment) and item.key]
    start = keys[-1] if keys else 0
    runs = [item for item in items[:start] if isinstance(item, InitSegment)]
    return [*runs[-1:], *items[start:]], pictures[-1].pts - behind


class LiveConversion:
    """A thread that converts one stream until ``stop``."""

    def __init__(self, hub: Hub, stream_id: str, slots: Slots, clock: Clock, options: TranscodeOptions) -> None:
        self._hub = hub
        self._desk = hub.conversions()
        self._stream_id = stream_id
        self._slots = slots
        self._clock = clock
        self._options = options
        self._over = threading.Event()
        self._source: InitSegment | None = None
        self._conversion: Conversion | None = None
        self._said: tuple[float, ConversionState] | None = None
        self._thread = threading.Thread(target=self._run, name=f"convert {stream_id}", daemon=True)

    def start(self) -> None:
        """Begin at the newest key-frame group."""
        self._thread.start()

    def stop(self) -> None:
        """End and remove what was published; a picture that is being converted is waited for."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        reader = self._hub.live([self._stream_id])
        while not self._over.is_set():
            try:
                self._step(reader)
            except HubError as error:
                _LOG.warning("stream %s: %s", self._stream_id, error)
                self._pause(reader)
            except Exception as error:  # noqa: BLE001 - a worker's edge
                _LOG.exception("stream %s cannot be converted", self._stream_id)
                why = str(error) if isinstance(error, MediaError) else "the log of the transcoder says why"
                self._forget()
                self._pause(reader, ConversionState(ConversionStatus.FAILED, f"This camera cannot be converted: {why}"))
        self._forget()
        try:
            self._desk.end(self._stream_id)
        except HubError:
            _LOG.info("stream %s: the hub is away; what it holds of the conversion ends there", self._stream_id)

    def _step(self, reader: LiveReader) -> None:
        items = reader.read(block_ms=_READ_MS, count=_BATCH)
        if self._waiting and self._slots.take(self._stream_id):
            reader.skip_to_newest(self._stream_id)  # a place became free: begin where a viewer would
            items = reader.read(block_ms=_READ_MS, count=_BATCH)
        worth, show_from = catch_up(items, round(self._options.behind_s * PTS_HZ))
        if len(worth) < len(items) and self._conversion is not None:
            self._conversion.skip()
        for item in worth:
            if self._over.is_set():
                return
            if isinstance(item, InitSegment):
                self._begin(item)
            elif self._conversion is not None:
                made = list(self._conversion.convert(item, item.pts >= show_from))
                if made:
                    self._hub.publish_fragments(made)
            self._say()
        self._say()

    @property
    def _waiting(self) -> bool:
        """Whether the camera is known to need a place and has none."""
        return self._source is not None and self._conversion is None

    def _begin(self, source: InitSegment) -> None:
        """A run of the camera begins: another connection, size or codec."""
        self._source, self._conversion = source, None
        name, run = converted(self._stream_id), self._clock.wall_us()
        if not needs_conversion(source):
            self._slots.give_back(self._stream_id)
            self._conversion = Untouched(source, name, run)
        elif self._slots.take(self._stream_id):
            self._conversion = Converter(source, name, run, self._options)
        else:
            return
        self._hub.publish_init(self._conversion.init)
        _LOG.info("stream %s: %s as %s", self._stream_id, source.mime, self._conversion.init.mime)

    def _state(self) -> ConversionState:
        mime = "" if self._source is None else self._source.mime
        if self._conversion is None:
            if self._source is None:
                return ConversionState(ConversionStatus.CONVERTING, "The camera sends no picture yet.")
            return ConversionState(ConversionStatus.WAITING, self._slots.refusal, mime)
        if isinstance(self._conversion, Untouched):
            return ConversionState(ConversionStatus.UNTOUCHED, "The camera sends H.264 already.", mime)
        size = self._conversion.init.video
        return ConversionState(ConversionStatus.CONVERTING, f"Converted to H.264, {size.width} × {size.height}.", mime)

    def _say(self, state: ConversionState | None = None) -> None:
        now, state = self._clock.monotonic(), state or self._state()
        if self._said is None or self._said[1] != state or now - self._said[0] >= _SAY_AGAIN_S:
            self._desk.answer(self._stream_id, state)
            self._said = (now, state)

    def _forget(self) -> None:
        self._source = self._conversion = None
        self._slots.give_back(self._stream_id)

    def _pause(self, reader: LiveReader, state: ConversionState | None = None) -> None:
        """Wait before the next attempt, which begins at the newest key frame with the init segment said again."""
        if state is not None:
            try:
                self._say(state)
            except HubError:
                self._said = None
        self._over.wait(_PAUSE_S)
        reader.skip_to_newest(self._stream_id)
