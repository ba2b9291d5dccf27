"""The tables, each column that is not obvious with its comment. ``docs/design/schema.md`` says why they are as they are.

``detections`` and ``hourly_horse_detections`` are described here for queries, but made by ``store.timeseries``, because how
they are cut into days depends on what the server offers.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

TIMESERIES = {"made_by": "timeseries"}
"""``Table.info`` of what a migration must leave to ``store.timeseries``."""


class Base(DeclarativeBase):
    """Every table's parent: ids are UUIDs as text, moments carry their zone, JSON is binary."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        str: Text(),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(),
        list[float]: ARRAY(REAL()),
        bytes: LargeBinary(),
    }


def _id(*, comment: str | None = None) -> Mapped[str]:
    return mapped_column(Uuid(as_uuid=False), primary_key=True, comment=comment)


def _farm() -> Mapped[str]:
    return mapped_column(Uuid(as_uuid=False), ForeignKey("farms.id"), index=True)


def _stream(*, primary_key: bool = False) -> Mapped[str]:
    return mapped_column(Uuid(as_uuid=False), ForeignKey("streams.id"), primary_key=primary_key)


class User(Base):
    """People who may sign in."""

    __tablename__ = "users"

    id: Mapped[str] = _id()
    email: Mapped[str] = mapped_column(unique=True, comment="lower case")
    password_hash: Mapped[str] = mapped_column(comment="Argon2id, in the PHC string format, parameters included")
    role: Mapped[str] = mapped_column(server_default="viewer", comment="viewer, groom, vet or admin")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Farm(Base):
    """Yards; every stream and horse belongs to one."""

    __tablename__ = "farms"

    id: Mapped[str] = _id()
    name: Mapped[str]
    owner_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False), ForeignKey("users.id", ondelete="SET NULL"))
    location: Mapped[dict[str, Any]] = mapped_column(
        server_default=text("'{}'"), comment="free form: address, latitude, longitude, time zone"
    )
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", server_default=text("'{}'"), comment="free form")
    created_at: Mapped[datetime]


class Membership(Base):
    """Who belongs to which farm."""

    __tablename__ = "memberships"

    farm_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("farms.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(server_default="viewer", comment="role on this farm, the words of users.role")


class SetupToken(Base):
    """One-time links with which the first administrator is made."""

    __tablename__ = "setup_tokens"

    token_hash: Mapped[str] = mapped_column(primary_key=True, comment="SHA-256 of the token, hex; the token itself is not kept")
    expires_at: Mapped[datetime]


class RevokedSession(Base):
    """Sessions that were signed out of before their time; a row is of no use after ``expires_at``."""

    __tablename__ = "revoked_sessions"

    session_id: Mapped[str] = mapped_column(primary_key=True, comment="the jti claim of the session's token")
    expires_at: Mapped[datetime]


class StreamTable(Base):
    """Cameras. A removed one keeps its row (``deleted_at``) for as long as recordings of it are kept."""

    __tablename__ = "streams"
    __table_args__ = (
        CheckConstraint("status in ('active', 'inactive', 'error')", name="status"),
        CheckConstraint("source_type in ('rtsp', 'rtmp', 'youtube', 'hls', 'file')", name="source_type"),
    )

    id: Mapped[str] = _id()
    farm_id: Mapped[str] = _farm()
    name: Mapped[str]
    source_type: Mapped[str]
    source_url: Mapped[str] = mapped_column(comment="without user name, password or token: those are in secret")
    secret: Mapped[bytes | None] = mapped_column(
        comment="JSON of login and hidden query, AES-256-GCM: nonce (12 bytes), ciphertext, tag; bound to the id"
    )
    status: Mapped[str] = mapped_column(
        server_default="inactive",
        comment="what a person asked for (active, inactive); what the camera is doing now is in the hub, not here",
    )
    config: Mapped[dict[str, Any]] = mapped_column(
        server_default=text("'{}'"), comment="settings of this camera, processing_delay (s) among them"
    )
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None] = mapped_column(comment="when it was removed; its recordings age out as any others")


class ChunkTable(Base):
    """One row a chunk file: the invariants between the two are in docs/design/schema.md."""

    __tablename__ = "chunks"
    __table_args__ = (
        CheckConstraint("state in ('pending', 'analysed', 'failed')", name="state"),
        CheckConstraint("end_us >= start_us", name="span"),
        Index("ix_chunks_stream_id_start_us", "stream_id", "start_us"),
        Index("ix_chunks_waiting", "start_us", postgresql_where=text("closed and state <> 'analysed'")),
    )

    id: Mapped[str] = mapped_column(primary_key=True, comment="made by the recorder")
    stream_id: Mapped[str] = _stream()
    path: Mapped[str] = mapped_column(comment="relative to the recordings folder")
    run: Mapped[int] = mapped_column(BigInteger, comment="changes with the init segment: a restart, a new resolution")
    start_us: Mapped[int] = mapped_column(BigInteger, comment="wall time of the first picture, microseconds since 1970 UTC")
    end_us: Mapped[int] = mapped_column(BigInteger, comment="end of the last picture, microseconds since 1970 UTC")
    start_pts: Mapped[int] = mapped_column(BigInteger, comment="media time of the first picture, 1/90000 s since 1970")
    end_pts: Mapped[int] = mapped_column(BigInteger, comment="media time at the end of the last picture, 1/90000 s since 1970")
    bytes: Mapped[int] = mapped_column(BigInteger, comment="length of the file, init segment included")
    init_bytes: Mapped[int] = mapped_column(comment="length of the init segment the file starts with")
    frames: Mapped[int] = mapped_column(comment="pictures in the file")
    codec: Mapped[str] = mapped_column(comment="of the video: h264 or hevc")
    mime: Mapped[str] = mapped_column(comment='what a browser is asked, e.g. video/mp4; codecs="avc1.64001f"')
    width: Mapped[int]
    height: Mapped[int]
    discontinuity: Mapped[bool] = mapped_column(comment="true when it does not continue the chunk before it")
    closed: Mapped[bool] = mapped_column(comment="false while the recorder still appends to the file")
    state: Mapped[str] = mapped_column(server_default="pending", comment="analysis: pending, analysed (processed) or failed")
    cause: Mapped[str | None] = mapped_column(comment="why analysis failed the last time")
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0", comment="failed analyses; at three it is left alone")
    protected: Mapped[bool] = mapped_column(Boolean, server_default=false(), comment="retention leaves it where it is")


class ChunkMark(Base):
    """Verdicts on chunks whose own row is still on its way: recorder and analyst are different processes."""

    __tablename__ = "chunk_marks"

    chunk_id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(comment="what chunks.state is to become")
    cause: Mapped[str | None] = mapped_column(comment="why the analysis failed, a sentence; null when it did not")
    tries: Mapped[int] = mapped_column(SmallInteger, comment="failed analyses to add to chunks.tries")


class GapTable(Base):
    """Stretches that were not recorded."""

    __tablename__ = "gaps"

    stream_id: Mapped[str] = _stream(primary_key=True)
    start_us: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="microseconds since 1970 UTC"
    )
    end_us: Mapped[int | None] = mapped_column(BigInteger, comment="null while it lasts")
    cause: Mapped[str] = mapped_column(comment="core.stream.Cause")
    message: Mapped[str] = mapped_column(comment="the sentence a person is shown")


class HorseTable(Base):
    """Horses with a name of their own and strangers the analyst named."""

    __tablename__ = "horses"

    id: Mapped[str] = _id(comment="made by whoever saw the horse first: an analyst or a person")
    farm_id: Mapped[str] = _farm()
    name: Mapped[str]
    stranger: Mapped[bool] = mapped_column(comment='true while nobody has said who it is ("Unknown 3")')
    named_by_person: Mapped[bool] = mapped_column(
        server_default=false(), comment="true once a person named it: an analyst no longer changes the name"
    )
    named_at: Mapped[datetime | None] = mapped_column(
        comment="when a person said who this stranger is: what was seen of it before is certain; null: it was none"
    )
    merged_into: Mapped[str | None] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("horses.id"), comment="the horse this one turned out to be; rows that name it go there"
    )
    breed: Mapped[str | None]
    age: Mapped[int | None] = mapped_column(SmallInteger, comment="years, as told on updated_at")
    color: Mapped[str | None]
    markings: Mapped[str | None]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", server_default=text("'{}'"), comment="free form")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class HorseLook(Base):
    """How a horse looks to the embedding network, several looks a horse."""

    __tablename__ = "horse_looks"
    __table_args__ = (Index("uq_horse_looks", "horse_id", "kind", "taken_us", unique=True),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    horse_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("horses.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(comment="left, right, rug, night …: which look it is")
    embedding: Mapped[list[float]] = mapped_column(comment="unit vector of the embedding network")
    taken_us: Mapped[int] = mapped_column(BigInteger, comment="wall time of the picture, microseconds since 1970 UTC")
    network: Mapped[str | None] = mapped_column(
        comment="name and fingerprint of the network that made the vector, comparable only with its own; null: not kept"
    )
    stream_id: Mapped[str | None] = mapped_column(
        Uuid(as_uuid=False), comment="the camera it was learned from; no foreign key, it outlives the camera"
    )
    track_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="the track it was learned from, so that a refusal finds it"
    )
    vouched: Mapped[bool] = mapped_column(server_default=text("false"), comment="true when a person said who it shows")


class TrackTable(Base):
    """One animal followed without a break in one stream."""

    __tablename__ = "tracks"

    stream_id: Mapped[str] = _stream(primary_key=True)
    track_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="unique in its stream, never reused; horse_N on the wire"
    )
    horse_id: Mapped[str | None] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("horses.id"), index=True, comment="who it was, as last decided"
    )
    started_us: Mapped[int] = mapped_column(BigInteger, comment="first detection, microseconds since 1970 UTC")
    ended_us: Mapped[int | None] = mapped_column(BigInteger, comment="last detection; null while it is followed")
    told_us: Mapped[int | None] = mapped_column(
        BigInteger,
        comment="when a person said who it is, microseconds since 1970 UTC: earlier pictures show horse_id; null: never",
    )


class StreamHorse(Base):
    """Which horse was seen by which camera, and when first and last."""

    __tablename__ = "stream_horses"

    stream_id: Mapped[str] = _stream(primary_key=True)
    horse_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("horses.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    first_detected: Mapped[datetime]
    last_seen: Mapped[datetime]


class Detection(Base):
    """One horse in one analysed picture."""

    __tablename__ = "detections"
    __table_args__ = ({"info": TIMESERIES},)

    time: Mapped[datetime] = mapped_column(primary_key=True, comment="when the picture was taken")
    stream_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), primary_key=True, comment="streams.id; not a foreign key, for speed"
    )
    track_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="tracks.track_id")
    horse_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False), comment="horses.id; null while it has no name")
    pts: Mapped[int] = mapped_column(BigInteger, comment="media time of the picture, 1/90000 s since 1970")
    width: Mapped[int] = mapped_column(Integer, comment="of the picture bbox and pose_keypoints are px of")
    height: Mapped[int] = mapped_column(Integer)
    bbox: Mapped[dict[str, Any]] = mapped_column(comment="x, y, width, height in px")
    confidence: Mapped[float] = mapped_column(REAL, comment="of the box, 0..1")
    certainty: Mapped[str] = mapped_column(comment="of the name: confirmed, probable, unknown")
    similarity: Mapped[float] = mapped_column(REAL, comment="cosine the name was decided on, -1..1")
    color: Mapped[str] = mapped_column(comment="of the track on the page")
    skeleton: Mapped[str | None] = mapped_column(comment="name of the skeleton pose_keypoints follow; null without a pose")
    pose_keypoints: Mapped[list[float] | None] = mapped_column(
        comment="x px, y px, confidence of each point, in the order of the skeleton"
    )
    interpolated: Mapped[bool] = mapped_column(comment="true between two analysed pictures")
    metrics: Mapped[dict[str, Any]] = mapped_column(comment="named figures; null where not measurable, never 0 for it")


class HourlyHorseDetections(Base):
    """Detections of one horse in one stream in one hour; the coverage beside it is in ``observed_minutes``."""

    __tablename__ = "hourly_horse_detections"
    __table_args__ = ({"info": TIMESERIES},)

    hour: Mapped[datetime] = mapped_column(primary_key=True, comment="its start")
    stream_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    horse_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    detection_count: Mapped[int] = mapped_column(BigInteger, comment="analysed pictures with the horse; none interpolated")
    avg_velocity: Mapped[float | None] = mapped_column(Float, comment="mean of metrics.velocity; null when never measurable")
    max_velocity: Mapped[float | None] = mapped_column(Float, comment="greatest metrics.velocity; null when never measurable")


class ObservedMinute(Base):
    """How much of each minute was analysed: the coverage without which "not seen" would read as zero."""

    __tablename__ = "observed_minutes"

    stream_id: Mapped[str] = _stream(primary_key=True)
    minute: Mapped[datetime] = mapped_column(primary_key=True, comment="its start")
    pictures: Mapped[int] = mapped_column(comment="analysed, with or without a horse")
    observed_us: Mapped[int] = mapped_column(
        BigInteger, comment="time those pictures stand for: each the time since the one before it, at most a second"
    )


class StaleHour(Base):
    """Hours in which detections came or changed since the roll-up was last made."""

    __tablename__ = "stale_hours"

    hour: Mapped[datetime] = mapped_column(primary_key=True)


class SpoolOffset(Base):
    """How far each producer's spool has been copied, set in the transaction that copied it: that makes it exactly once."""

    __tablename__ = "spool_offsets"

    producer: Mapped[str] = mapped_column(primary_key=True)
    segment: Mapped[int] = mapped_column(BigInteger, comment="number of the segment file")
    position: Mapped[int] = mapped_column(BigInteger, comment="byte in it up to which rows are copied")
    updated_at: Mapped[datetime]


def table_of(entity: type[Base]) -> Table:
    """The plain table behind a class, for queries that give rows."""
    table = entity.__table__
    assert isinstance(table, Table)
    return table
