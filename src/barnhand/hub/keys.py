"""Names of the hub's keys and the form of its entries.

| key | kind | holds |
|---|---|---|
| ``init:{stream}`` | hash | the init segment of the current run; beside the stream because trimming would remove it |
| ``live:{stream}`` | stream | fragments of the last two key-frame groups, and an entry where a new run starts |
| ``obs:{stream}`` | stream | the last observations |
| ``states:{role}`` | hash | stream id → state, one hash each for ``recorder`` and ``analyst`` |
| ``events`` | stream | named events |
| ``checkpoint:{name}`` | string | what a worker needs to go on where another stopped |
| ``live:{stream}:h264``, ``init:{stream}:h264`` | as above | the same stream converted, while somebody wants it |
| ``conversion:wishes``, ``conversion:wish:{stream}`` | set, string | streams to be converted; a wish ends by itself |
| ``conversion:state:{stream}`` | string | what became of the wish; ends by itself |
| ``conversion:jobs:{kind}`` | list | files to be made of recordings: chunks in H.264, clips |
| ``conversion:job:{id}``, ``conversion:answer:{id}`` | string, list | somebody waits for a file; the answer |
"""

import base64
from collections.abc import Mapping
from typing import Any

import orjson

from barnhand.core.media import AudioFormat, Codec, Fragment, InitSegment, VideoFormat

EVENTS = "events"
WISHES = "conversion:wishes"
Entry = Mapping[bytes, bytes]


def init_key(stream_id: str) -> str:
    """Key of a stream's current init segment."""
    return f"init:{stream_id}"


def live_key(stream_id: str) -> str:
    """Key of a stream's fragments."""
    return f"live:{stream_id}"


def observations_key(stream_id: str) -> str:
    """Key of a stream's observations."""
    return f"obs:{stream_id}"


def states_key(role: str) -> str:
    """Key of the states told by one kind of worker."""
    return f"states:{role}"


def checkpoint_key(name: str) -> str:
    """Key of a worker's checkpoint."""
    return f"checkpoint:{name}"


def converted(stream_id: str) -> str:
    """What a stream made H.264 is called on the hub; no camera's id has a colon."""
    return f"{stream_id}:h264"


def wish_key(stream_id: str) -> str:
    """Key that lives as long as somebody wants a stream converted."""
    return f"conversion:wish:{stream_id}"


def conversion_key(stream_id: str) -> str:
    """Key of what became of the wish."""
    return f"conversion:state:{stream_id}"


def jobs_key(kind: str) -> str:
    """Key of the files of one kind that are to be made."""
    return f"conversion:jobs:{kind}"


def job_key(job_id: str) -> str:
    """Key that lives as long as somebody waits for a file."""
    return f"conversion:job:{job_id}"


def answer_key(job_id: str) -> str:
    """Key of the answer to who waits for a file."""
    return f"conversion:answer:{job_id}"


def init_fields(init: InitSegment) -> dict[str, bytes]:
    """An init segment as a hash."""
    audio = init.audio
    head = {
        "run": init.run,
        "wall_us": init.wall_us,
        "mime": init.mime,
        "video": {
            "codec": init.video.codec.value,
            "width": init.video.width,
            "height": init.video.height,
            "extradata": base64.b64encode(init.video.extradata).decode(),
        },
        "audio": None
        if audio is None
        else {
            "codec": audio.codec.value,
            "rate": audio.rate,
            "channels": audio.channels,
            "extradata": base64.b64encode(audio.extradata).decode(),
        },
    }
    return {"head": orjson.dumps(head), "data": init.data}


def read_init(stream_id: str, fields: Entry) -> InitSegment:
    """A hash as an init segment."""
    head: dict[str, Any] = orjson.loads(fields[b"head"])
    video, audio = head["video"], head["audio"]
    return InitSegment(
        stream_id=stream_id,
        run=head["run"],
        wall_us=head["wall_us"],
        data=fields[b"data"],
        mime=head["mime"],
        video=VideoFormat(Codec(video["codec"]), video["width"], video["height"], base64.b64decode(video["extradata"])),
        audio=None
        if audio is None
        else AudioFormat(Codec(audio["codec"]), audio["rate"], audio["channels"], base64.b64decode(audio["extradata"])),
    )


def fragment_fields(fragment: Fragment, sequence: int) -> dict[str, bytes | int]:
    """A fragment as a stream entry; ``sequence`` counts up within a run so that a reader sees what trimming took."""
    return {
        "s": sequence,
        "r": fragment.run,
        "f": (1 if fragment.video else 0) | (2 if fragment.key else 0),
        "p": fragment.pts,
        "d": fragment.dts,
        "u": fragment.duration,
        "w": fragment.wall_us,
        "b": fragment.data,
    }


def read_fragment(stream_id: str, fields: Entry) -> Fragment:
    """A stream entry as a fragment."""
    flags = int(fields[b"f"])
    return Fragment(
        stream_id=stream_id,
        run=int(fields[b"r"]),
        video=bool(flags & 1),
        key=bool(flags & 2),
        pts=int(fields[b"p"]),
        dts=int(fields[b"d"]),
        duration=int(fields[b"u"]),
        wall_us=int(fields[b"w"]),
        data=fields[b"b"],
    )


def stream_rows(answer: Any) -> list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]:
    """XREAD's answer in either form of the protocol: a list of pairs (RESP2) or a map (RESP3)."""
    if not answer:
        return []
    if isinstance(answer, dict):
        return [(key, rows[0] if rows and isinstance(rows[0], list) else rows) for key, rows in answer.items()]
    return [(key, rows) for key, rows in answer]
