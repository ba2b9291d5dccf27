"""A tracker's state as versioned JSON, so that a restarted analyst goes on with the same ids."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from barnhand.core.geometry import Floats
from barnhand.track.kalman import Doubles

VERSION = 2


class Lived(Protocol):
    """What is written of one animal (``tracker.Life``)."""

    track_id: int
    color: str
    hits: int
    score: float
    started_us: int
    last_seen_us: int
    look: Floats | None
    looks: int
    looked_us: int


@dataclass(frozen=True, eq=False)
class Saved:
    """A checkpoint as read: ``lives`` are the fields of ``tracker.Life``."""

    next_id: int
    wall_us: int | None
    lives: list[dict[str, Any]]
    filters: Doubles


def dump(next_id: int, wall_us: int | None, lives: Sequence[Lived], filters: Doubles) -> bytes:
    """Everything a tracker is, as UTF-8 JSON; embeddings as base64 of little-endian float32."""
    rows = [
        {
            "track_id": life.track_id,
            "color": life.color,
            "hits": life.hits,
            "score": life.score,
            "started_us": life.started_us,
            "last_seen_us": life.last_seen_us,
            "look": None if life.look is None else base64.b64encode(life.look.astype("<f4").tobytes()).decode("ascii"),
            "looks": life.looks,
            "looked_us": life.looked_us,
        }
        for life in lives
    ]
    data = {
        "version": VERSION,
        "next_id": next_id,
        "wall_us": wall_us,
        "lives": rows,
        "filters": filters.round(6).tolist(),
    }
    return json.dumps(data, separators=(",", ":")).encode()


def load(data: bytes) -> Saved:
    """Read what ``dump`` wrote. Raises ``ValueError`` for anything else."""
    try:
        tree = json.loads(data)
        if tree["version"] != VERSION:
            raise ValueError(f"the tracker checkpoint is of version {tree['version']}, this is version {VERSION}")
        count = len(tree["lives"])
        lives = [
            {**life, "look": None if life["look"] is None else np.frombuffer(base64.b64decode(life["look"]), "<f4").copy()}
            for life in tree["lives"]
        ]
        filters = np.array(tree["filters"], np.float64).reshape(4, count, 5)
        return Saved(int(tree["next_id"]), tree["wall_us"], lives, filters)
    except (KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"this is not a tracker checkpoint: {error}") from error
