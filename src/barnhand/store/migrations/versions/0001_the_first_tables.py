"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from barnhand.store import timeseries

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chunk_marks",
        sa.Column("chunk_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("tries", sa.SmallInteger(), nullable=False, comment="failed analyses to add to chunks.tries"),
        sa.PrimaryKeyConstraint("chunk_id", name=op.f("pk_chunk_marks")),
    )
    op.create_table(
        "revoked_sessions",
        sa.Column("session_id", sa.Text(), nullable=False, comment="the jti claim of the session's token"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_revoked_sessions")),
    )
    op.create_table(
        "setup_tokens",
        sa.Column("token_hash", sa.Text(), nullable=False, comment="SHA-256 of the token, hex; the token itself is not kept"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_setup_tokens")),
    )
    op.create_table(
        "spool_offsets",
        sa.Column("producer", sa.Text(), nullable=False),
        sa.Column("segment", sa.BigInteger(), nullable=False, comment="number of the segment file"),
        sa.Column("position", sa.BigInteger(), nullable=False, comment="byte in it up to which rows are copied"),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("producer", name=op.f("pk_spool_offsets")),
    )
    op.create_table(
        "stale_hours",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hour", name=op.f("pk_stale_hours")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False, comment="lower case"),
        sa.Column(
            "password_hash", sa.Text(), nullable=False, comment="Argon2id, in the PHC string format, parameters included"
        ),
        sa.Column("role", sa.Text(), server_default="viewer", nullable=False, comment="viewer, groom, vet or admin"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "farms",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column(
            "location",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="free form: address, latitude, longitude, time zone",
        ),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="free form",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_farms_owner_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_farms")),
    )
    op.create_table(
        "horses",
        sa.Column(
            "id", sa.Uuid(as_uuid=False), nullable=False, comment="made by whoever saw the horse first: an analyst or a person"
        ),
        sa.Column("farm_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("stranger", sa.Boolean(), nullable=False, comment='true while nobody has said who it is ("Unknown 3")'),
        sa.Column(
            "named_by_person",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="true once a person named it: an analyst no longer changes the name",
        ),
        sa.Column(
            "merged_into",
            sa.Uuid(as_uuid=False),
            nullable=True,
            comment="the horse this one turned out to be; rows that name it go there",
        ),
        sa.Column("breed", sa.Text(), nullable=True),
        sa.Column("age", sa.SmallInteger(), nullable=True, comment="years, as told on updated_at"),
        sa.Column("color", sa.Text(), nullable=True),
        sa.Column("markings", sa.Text(), nullable=True),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="free form",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["farm_id"], ["farms.id"], name=op.f("fk_horses_farm_id")),
        sa.ForeignKeyConstraint(["merged_into"], ["horses.id"], name=op.f("fk_horses_merged_into")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_horses")),
    )
    op.create_index(op.f("ix_horses_farm_id"), "horses", ["farm_id"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("farm_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("user_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column(
            "role", sa.Text(), server_default="viewer", nullable=False, comment="role on this farm, the words of users.role"
        ),
        sa.ForeignKeyConstraint(["farm_id"], ["farms.id"], name=op.f("fk_memberships_farm_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("farm_id", "user_id", name=op.f("pk_memberships")),
    )
    op.create_table(
        "streams",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("farm_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source_type", sa.Text(), nullable=False),
        sa.Column("source_url", sa.Text(), nullable=False, comment="without user name, password or token: those are in secret"),
        sa.Column(
            "secret",
            sa.LargeBinary(),
            nullable=True,
            comment="JSON of login and hidden query, AES-256-GCM: nonce (12 bytes), ciphertext, tag; bound to the id",
        ),
        sa.Column(
            "status",
            sa.Text(),
            server_default="inactive",
            nullable=False,
            comment="what a person asked for (active, inactive); what the camera is doing now is in the hub, not here",
        ),
        sa.Column(
            "config",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="settings of this camera, processing_delay (s) among them",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "deleted_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when it was removed; its recordings age out as any others",
        ),
        sa.CheckConstraint("source_type in ('rtsp', 'rtmp', 'youtube', 'hls', 'file')", name=op.f("ck_streams_source_type")),
        sa.CheckConstraint("status in ('active', 'inactive', 'error')", name=op.f("ck_streams_status")),
        sa.ForeignKeyConstraint(["farm_id"], ["farms.id"], name=op.f("fk_streams_farm_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_streams")),
    )
    op.create_index(op.f("ix_streams_farm_id"), "streams", ["farm_id"], unique=False)
    op.create_table(
        "chunks",
        sa.Column("id", sa.Text(), nullable=False, comment="made by the recorder"),
        sa.Column("stream_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("path", sa.Text(), nullable=False, comment="relative to the recordings folder"),
        sa.Column("run", sa.BigInteger(), nullable=False, comment="changes with the init segment: a restart, a new resolution"),
        sa.Column(
            "start_us", sa.BigInteger(), nullable=False, comment="wall time of the first picture, microseconds since 1970 UTC"
        ),
        sa.Column("end_us", sa.BigInteger(), nullable=False, comment="end of the last picture, microseconds since 1970 UTC"),
        sa.Column(
            "start_pts", sa.BigInteger(), nullable=False, comment="media time of the first picture, 1/90000 s since 1970"
        ),
        sa.Column(
            "end_pts",
            sa.BigInteger(),
            nullable=False,
            comment="media time at the end of the last picture, 1/90000 s since 1970",
        ),
        sa.Column("bytes", sa.BigInteger(), nullable=False, comment="length of the file, init segment included"),
        sa.Column("init_bytes", sa.Integer(), nullable=False, comment="length of the init segment the file starts with"),
        sa.Column("frames", sa.Integer(), nullable=False, comment="pictures in the file"),
        sa.Column("codec", sa.Text(), nullable=False, comment="of the video: h264 or hevc"),
        sa.Column("mime", sa.Text(), nullable=False, comment='what a browser is asked, e.g. video/mp4; codecs="avc1.64001f"'),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("discontinuity", sa.Boolean(), nullable=False, comment="true when it does not continue the chunk before it"),
        sa.Column("closed", sa.Boolean(), nullable=False, comment="false while the recorder still appends to the file"),
        sa.Column(
            "state",
            sa.Text(),
            server_default="pending",
            nullable=False,
            comment="analysis: pending, analysed (processed) or failed",
        ),
        sa.Column("cause", sa.Text(), nullable=True, comment="why analysis failed the last time"),
        sa.Column(
            "tries", sa.SmallInteger(), server_default="0", nullable=False, comment="failed analyses; at three it is left alone"
        ),
        sa.Column(
            "protected",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="retention leaves it where it is",
        ),
        sa.CheckConstraint("state in ('pending', 'analysed', 'failed')", name=op.f("ck_chunks_state")),
        sa.CheckConstraint("end_us >= start_us", name=op.f("ck_chunks_span")),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name=op.f("fk_chunks_stream_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chunks")),
    )
    op.create_index("ix_chunks_stream_id_start_us", "chunks", ["stream_id", "start_us"], unique=False)
    op.create_index(
        "ix_chunks_waiting", "chunks", ["start_us"], unique=False, postgresql_where=sa.text("closed and state <> 'analysed'")
    )
    op.create_table(
        "gaps",
        sa.Column("stream_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("start_us", sa.BigInteger(), autoincrement=False, nullable=False, comment="microseconds since 1970 UTC"),
        sa.Column("end_us", sa.BigInteger(), nullable=True, comment="null while it lasts"),
        sa.Column("cause", sa.Text(), nullable=False, comment="core.stream.Cause"),
        sa.Column("message", sa.Text(), nullable=False, comment="the sentence a person is shown"),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name=op.f("fk_gaps_stream_id")),
        sa.PrimaryKeyConstraint("stream_id", "start_us", name=op.f("pk_gaps")),
    )
    op.create_table(
        "horse_looks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("horse_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="left, right, rug, night …: which look it is"),
        sa.Column("embedding", sa.ARRAY(sa.REAL()), nullable=False, comment="unit vector of the embedding network"),
        sa.Column("taken_us", sa.BigInteger(), nullable=False, comment="wall time of the picture, microseconds since 1970 UTC"),
        sa.ForeignKeyConstraint(["horse_id"], ["horses.id"], name=op.f("fk_horse_looks_horse_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_horse_looks")),
    )
    op.create_index("uq_horse_looks", "horse_looks", ["horse_id", "kind", "taken_us"], unique=True)
    op.create_table(
        "observed_minutes",
        sa.Column("stream_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False, comment="analysed, with or without a horse"),
        sa.Column(
            "observed_us",
            sa.BigInteger(),
            nullable=False,
            comment="time those pictures stand for: each the time since the one before it, at most a second",
        ),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name=op.f("fk_observed_minutes_stream_id")),
        sa.PrimaryKeyConstraint("stream_id", "minute", name=op.f("pk_observed_minutes")),
    )
    op.create_table(
        "stream_horses",
        sa.Column("stream_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("horse_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("first_detected", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["horse_id"], ["horses.id"], name=op.f("fk_stream_horses_horse_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name=op.f("fk_stream_horses_stream_id")),
        sa.PrimaryKeyConstraint("stream_id", "horse_id", name=op.f("pk_stream_horses")),
    )
    op.create_index(op.f("ix_stream_horses_horse_id"), "stream_horses", ["horse_id"], unique=False)
    op.create_table(
        "tracks",
        sa.Column("stream_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column(
            "track_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="unique in its stream, never reused; horse_N on the wire",
        ),
        sa.Column("horse_id", sa.Uuid(as_uuid=False), nullable=True, comment="who it was, as last decided"),
        sa.Column("started_us", sa.BigInteger(), nullable=False, comment="first detection, microseconds since 1970 UTC"),
        sa.Column("ended_us", sa.BigInteger(), nullable=True, comment="last detection; null while it is followed"),
        sa.ForeignKeyConstraint(["horse_id"], ["horses.id"], name=op.f("fk_tracks_horse_id")),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name=op.f("fk_tracks_stream_id")),
        sa.PrimaryKeyConstraint("stream_id", "track_id", name=op.f("pk_tracks")),
    )
    op.create_index(op.f("ix_tracks_horse_id"), "tracks", ["horse_id"], unique=False)
    timeseries.offered(op.get_bind()).create(op.get_bind())


def downgrade() -> None:
    op.execute("drop view hourly_horse_activity, hourly_coverage")
    kind = "table" if timeseries.used(op.get_bind()).name == "partitions" else "materialized view"
    op.execute(f"drop {kind} hourly_horse_detections")
    op.execute("drop table detections")
    op.drop_index(op.f("ix_tracks_horse_id"), table_name="tracks")
    op.drop_table("tracks")
    op.drop_index(op.f("ix_stream_horses_horse_id"), table_name="stream_horses")
    op.drop_table("stream_horses")
    op.drop_table("observed_minutes")
    op.drop_index("uq_horse_looks", table_name="horse_looks")
    op.drop_table("horse_looks")
    op.drop_table("gaps")
    op.drop_index("ix_chunks_waiting", table_name="chunks", postgresql_where=sa.text("closed and state <> 'analysed'"))
    op.drop_index("ix_chunks_stream_id_start_us", table_name="chunks")
    op.drop_table("chunks")
    op.drop_index(op.f("ix_streams_farm_id"), table_name="streams")
    op.drop_table("streams")
    op.drop_table("memberships")
    op.drop_index(op.f("ix_horses_farm_id"), table_name="horses")
    op.drop_table("horses")
    op.drop_table("farms")
    op.drop_table("users")
    op.drop_table("stale_hours")
    op.drop_table("spool_offsets")
    op.drop_table("setup_tokens")
    op.drop_table("revoked_sessions")
    op.drop_table("chunk_marks")
