"""One live camera inside an analyst: fragments in, at most one picture waiting."""

import base64
import json
import logging

from barnhand.analyst.coverage import Coverage
from barnhand.analyst.options import AnalystOptions
from barnhand.analyst.pace import Pace
from barnhand.analyst.pipeline import Pipeline
from barnhand.core.frame import Frame
from barnhand.core.media import Fragment, InitSegment
from barnhand.core.time import SECOND_US
from barnhand.fragments.decoder import FragmentDecoder

_LOG = logging.getLogger(__name__)
VERSION = 1


class Camera:
    """Decodes a stream's fragments, wants a picture now and then, and keeps only the newest of them."""

    def __init__(self, stream_id: str, pipeline: Pipeline, options: AnalystOptions) -> None:
        self.stream_id = stream_id
        self.pipeline = pipeline
        self.coverage = Coverage(options.joined_s)
        self.waiting: Frame | None = None
        self.analysed = 0
        self.dropped = 0
        self._told = (0, 0)
        self.horses = 0
        self.lag_us = 0
        self._newest_us = round(options.newest_s * SECOND_US)
        self._decoder: FragmentDecoder | None = None
        self._pace = Pace()
        self._key_us = 0
        self._group_us = 0
        self._skipped_us = 0

    def take(self, segment: InitSegment | Fragment, now_us: int, period_us: int) -> bool:
        """Take in one segment; true when a waiting picture was replaced before it was looked at."""
        if isinstance(segment, InitSegment):
            if self._decoder is None or self._decoder.init.run != segment.run:
                self._decoder = FragmentDecoder(segment)
            return False
        if self._decoder is None or not self._decoder.wants(segment):
            return False
        if segment.key:
            self._group_us = segment.wall_us - self._key_us if self._key_us else 0
            self._key_us = segment.wall_us
        self.lag_us = max(now_us - segment.wall_us, 0)
        due = self._pace.due(segment.wall_us, period_us)
        want = due and self.lag_us <= self._newest_us
        if due:
            self._pace.took(segment.wall_us, period_us)
            self.dropped += not want
        frames = self._decoder.decode(segment, want)
        if not frames:
            return False
        late = self.waiting is not None
        self.dropped += late
        self.waiting = frames[-1]
        return late

    def is_old(self, segment: InitSegment | Fragment, now_us: int) -> bool:
        """Whether a fragment is too old to be analysed."""
        return isinstance(segment, Fragment) and now_us - segment.wall_us > self._newest_us

    def should_skip(self, now_us: int) -> bool:
        """Whether to leave out what is queued: it is too old, and by now there must be a newer key-frame group."""
        behind = self.lag_us > self._newest_us and now_us - self._skipped_us > self._newest_us
        group_us = max(self._group_us, SECOND_US // 2)
        if behind and now_us - self._key_us > group_us:
            self._skipped_us = now_us
            return True
        return False

    def pop(self, now_us: int) -> Frame | None:
        """The picture waiting, unless it grew too old meanwhile."""
        frame, self.waiting = self.waiting, None
        if frame is not None and now_us - frame.wall_us > self._newest_us:
            self.dropped += 1
            return None
        return frame

    def since_told(self) -> tuple[int, int]:
        """Pictures analysed and passed over since this was last asked."""
        now = (self.analysed, self.dropped)
        analysed, dropped = now[0] - self._told[0], now[1] - self._told[1]
        self._told = now
        return analysed, dropped

    def checkpoint(self) -> bytes:
        """Tracks and coverage for a successor."""
        data = {
            "version": VERSION,
            "tracker": base64.b64encode(self.pipeline.state()).decode("ascii"),
            "spans": self.coverage.spans,
        }
        return json.dumps(data, separators=(",", ":")).encode()

    def resume(self, data: bytes, options: AnalystOptions) -> bool:
        """Go on from a predecessor's checkpoint; false when it cannot be read, and all starts anew."""
        try:
            tree = json.loads(data)
            if tree["version"] != VERSION:
                raise ValueError(f"version {tree['version']}")
            self.pipeline.restore(base64.b64decode(tree["tracker"]))
            self.coverage = Coverage(options.joined_s, tree["spans"])
        except (KeyError, TypeError, ValueError) as error:
            _LOG.warning("stream %s: its checkpoint cannot be used (%s); tracks start anew", self.stream_id, error)
            return False
        return True
