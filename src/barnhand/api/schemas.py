"""What goes over the wire. The page's types are generated from these."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from barnhand.core.chunk import ChunkState
from barnhand.core.identity import Certainty
from barnhand.core.stream import Cause, SourceType, Status
from barnhand.store.records import Role

Micros = Annotated[int, Field(description="microseconds since 1970-01-01 UTC")]
Ticks = Annotated[int, Field(description="media time: 1/90000 s since 1970-01-01 UTC")]


class Record(BaseModel):
    """An answer."""

    model_config = ConfigDict(from_attributes=True)


class Request(BaseModel):
    """What a client sends: a field nobody knows is a mistake worth telling."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Problem(BaseModel):
    """Every error (RFC 9457). ``detail`` is one sentence for a person."""

    type: str = "about:blank"
    title: str = Field(description="the status in words")
    status: int
    detail: str = Field(description="what is wrong and what to do, in one sentence")
    errors: list["FieldProblem"] = Field(default=[], description="which fields, where that is known")


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str
    detail: str


# People


class Credentials(Request):
    """To sign in. With ``bearer`` the token comes in the answer, for scripts; without, as a cookie, for the page."""

    email: str = Field(max_length=254)
    password: str = Field(max_length=1024)
    bearer: bool = False


class SetupRequest(Request):
    """To make the first administrator with the one-time link's token."""

    token: str = Field(max_length=200)
    email: str = Field(max_length=254)
    password: str = Field(max_length=1024)


class SetupState(Record):
    """Whether there is anybody who may sign in."""

    needed: bool


class User(Record):
    """A person."""

    id: str
    email: str
    role: Role


class Session(Record):
    """Who is signed in and until when. ``token`` only where it was asked for with ``bearer``."""

    user: User
    expires_at: datetime
    token: str | None = None


class Ticket(Record):
    """For one WebSocket that cannot send the cookie: ``?ticket=``, once, within ``expires_in`` seconds."""

    ticket: str
    expires_in: int


# Streams


class StreamState(Record):
    """What the camera is doing now, in words a person understands."""

    status: Status
    cause: Cause
    message: str
    since_us: Micros
    details: dict[str, Any] = {}


class Recording(Record):
    """What is kept of a stream."""

    first_us: Micros
    last_us: Micros
    chunks: int
    bytes: int


class Stream(Record):
    """A camera. ``source_url`` never holds a password; ``has_credentials`` says that one is kept."""

    id: str
    farm_id: str
    name: str
    source_type: SourceType
    source_url: str
    status: Status
    config: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    has_credentials: bool
    state: StreamState | None = Field(default=None, description="null while nobody has told yet, or the hub is away")
    recording: Recording | None = Field(default=None, description="null while nothing is recorded")


class StreamConfig(Request):
    """A new camera. A password in ``source_url`` is cut out and kept encrypted; or give it in ``password``."""

    name: str = Field(min_length=1, max_length=120)
    source_type: SourceType
    source_url: str = Field(min_length=1, max_length=2048)
    processing_delay: float = Field(default=30, ge=0, le=600, description="seconds that processed playback is behind live")
    farm_id: UUID | None = Field(default=None, description="the only farm when left out")
    config: dict[str, Any] = {}
    username: str | None = Field(default=None, max_length=256)
    password: str | None = Field(default=None, max_length=256)
    start: bool = Field(default=False, description="start at once")


class StreamChange(Request):
    """What is to be different; what is left out stays."""

    name: str | None = Field(default=None, min_length=1, max_length=120)
    source_type: SourceType | None = None
    source_url: str | None = Field(default=None, min_length=1, max_length=2048)
    processing_delay: float | None = Field(default=None, ge=0, le=600)
    config: dict[str, Any] | None = Field(default=None, description="merged into what is there; null removes a setting")
    username: str | None = Field(default=None, max_length=256)
    password: str | None = Field(default=None, max_length=256)


class Farm(Record):
    """A yard."""

    id: str
    name: str
    location: dict[str, Any]
    metadata: dict[str, Any]


# Recordings


class Chunk(Record):
    """About ten seconds on disk; ``media`` is where its bytes are."""

    id: str
    stream_id: str
    run: int
    start_us: Micros
    end_us: Micros
    start_pts: Ticks
    end_pts: Ticks
    bytes: int
    init_bytes: int
    frames: int
    codec: str
    mime: str
    width: int
    height: int
    discontinuity: bool
    closed: bool
    protected: bool
    state: ChunkState = Field(description="analysed is what the contract calls processed")
    cause: str | None
    tries: int
    media: str


class Gap(Record):
    """A stretch that was not recorded, and why; ``end_us`` is null while it lasts."""

    stream_id: str
    start_us: Micros
    end_us: Micros | None
    cause: Cause
    message: str


class Protection(Record):
    """What is kept whatever its age: ``chunks`` that overlap the time asked for, which span ``start_us`` to ``end_us``."""

    protected: bool
    chunks: int
    start_us: Micros
    end_us: Micros


# What was seen


class BoundingBox(Record):
    """px of the full picture."""

    x: float
    y: float
    width: float
    height: float
    confidence: float


class Keypoint(Record):
    """px of the full picture; ``confidence`` is the probability that the point is visible there."""

    x: float
    y: float
    confidence: float
    name: str


class Pose(Record):
    """The points of a skeleton, in its order."""

    skeleton: str
    keypoints: list[Keypoint]


class Detection(Record):
    """One horse in one analysed picture."""

    timestamp: datetime
    stream_id: str
    horse_id: str | None
    bbox: BoundingBox
    pose: Pose | None
    metrics: dict[str, float | None] = Field(description="null where not measurable: never zero for not seen")
    track_id: int
    name: str | None
    certainty: Certainty
    pts: Ticks


class HorseObservation(Record):
    """One horse in one picture, as the WebSocket sends it."""

    track_id: int
    tracking_id: str
    horse_id: str | None
    name: str | None
    certainty: Certainty
    similarity: float
    color: str
    bbox: BoundingBox
    pose: Pose | None
    metrics: dict[str, float | None]
    interpolated: bool


class Observation(Record):
    """All horses of one analysed picture, as the WebSocket sends it; ``pts`` finds the picture on screen."""

    stream_id: str
    wall_us: Micros
    pts: Ticks
    width: int
    height: int
    horses: list[HorseObservation]


class ObservationPage(Record):
    """Observations in order of time. ``next_us`` is where to go on when there were more than fit, else null."""

    observations: list[Observation]
    next_us: Micros | None
    coverage: list["Covered"] = Field(description="how much of each minute was analysed; a minute that is missing was not")


class Covered(Record):
    """``observed_seconds`` of the minute that starts at ``minute_us`` were analysed."""

    minute_us: Micros
    observed_seconds: float


class Skeleton(Record):
    """Names of the points in order, and the bones as pairs of names."""

    name: str
    points: list[str]
    bones: list[tuple[str, str]]


class Sighting(Record):
    """When a camera saw the horse first and last."""

    stream_id: str
    first_detected: datetime
    last_seen: datetime


class Horse(Record):
    """A horse; ``stranger`` while nobody has said who it is."""

    id: str
    farm_id: str
    name: str
    stranger: bool
    breed: str | None
    age: int | None
    color: str | None
    markings: str | None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    seen: list[Sighting] = []


class NewHorse(Request):
    """A horse a person adds."""

    name: str = Field(min_length=1, max_length=120)
    farm_id: UUID | None = None
    breed: str | None = Field(default=None, max_length=120)
    age: int | None = Field(default=None, ge=0, le=70)
    color: str | None = Field(default=None, max_length=120)
    markings: str | None = Field(default=None, max_length=1000)
    metadata: dict[str, Any] = {}


class HorseChange(Request):
    """What is to be different. A new ``name`` corrects it everywhere, in the past too."""

    name: str | None = Field(default=None, min_length=1, max_length=120)
    breed: str | None = Field(default=None, max_length=120)
    age: int | None = Field(default=None, ge=0, le=70)
    color: str | None = Field(default=None, max_length=120)
    markings: str | None = Field(default=None, max_length=1000)
    metadata: dict[str, Any] | None = None


class HorseMerge(Request):
    """The horse that this one really is."""

    into: UUID


class TrackHorse(Request):
    """The horse that the animal of a track is."""

    horse_id: UUID


class HourlyActivity(Record):
    """One horse, one camera, one hour."""

    hour: datetime
    stream_id: str
    horse_id: str
    detection_count: int
    avg_velocity: float | None
    max_velocity: float | None
    observed_seconds: float = Field(description="how much of the hour was analysed")


class HourlyCoverage(Record):
    """How much of an hour a camera was analysed, horses or none: an hour that is missing was not watched."""

    hour: datetime
    stream_id: str
    pictures: int
    observed_seconds: float


class Activity(Record):
    """Hours with the horse, and the hours that were watched at all."""

    hours: list[HourlyActivity]
    coverage: list[HourlyCoverage]


# The service


class Health(Record):
    """The process runs."""

    status: Literal["ok"]


class Readiness(Record):
    """What the service leans on, each ``ok`` or a sentence."""

    ready: bool
    database: str
    hub: str
    recordings: str
