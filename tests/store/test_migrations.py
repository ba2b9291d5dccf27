"""The migrations make exactly the tables that the code describes."""

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from barnhand.store.migrate import config, migrate, newest
from barnhand.store.tables import TIMESERIES, Base, Detection, HourlyHorseDetections, table_of

CONTRACT = {
    "users": {"id", "email", "password_hash", "role", "created_at", "updated_at"},
    "farms": {"name", "owner_id", "location", "metadata"},
    "streams": {"farm_id", "name", "source_type", "source_url", "status", "config"},
    "horses": {"farm_id", "name", "breed", "age", "color", "markings", "metadata"},
    "stream_horses": {"stream_id", "horse_id", "first_detected", "last_seen"},
    "detections": {"time", "stream_id", "horse_id", "bbox", "pose_keypoints", "confidence", "metrics"},
    "hourly_horse_activity": {"hour", "stream_id", "horse_id", "detection_count", "avg_velocity", "max_velocity"},
}


def columns(engine: Engine, table: str) -> set[str]:
    with engine.begin() as connection:
        query = text("select column_name from information_schema.columns where table_name = :table")
        return set(connection.scalars(query, {"table": table}))


def test_the_tables_are_those_of_the_code(engine: Engine) -> None:
    ours = {name for name, table in Base.metadata.tables.items() if table.info != TIMESERIES}
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"compare_server_default": True, "include_name": lambda name, kind, _: kind != "table" or name in ours},
        )
        differences = [
            difference
            for difference in compare_metadata(context, Base.metadata)
            if not (
                difference[0] in ("add_table", "add_index")
                and getattr(difference[1], "name", "").startswith(("detections", "hourly"))
            )
        ]
    assert differences == []


def test_the_time_series_have_the_columns_of_the_code(engine: Engine) -> None:
    for entity in (Detection, HourlyHorseDetections):
        table = table_of(entity)
        assert columns(engine, table.name) == {column.name for column in table.columns}


def test_the_contracts_columns_are_there(engine: Engine) -> None:
    for table, expected in CONTRACT.items():
        assert expected <= columns(engine, table), table


def test_a_stream_is_inactive_and_a_user_a_viewer_unless_said_otherwise(engine: Engine) -> None:
    query = text("select column_default from information_schema.columns where table_name = :table and column_name = :column")
    with engine.begin() as connection:
        assert "inactive" in connection.scalar(query, {"table": "streams", "column": "status"})
        assert "viewer" in connection.scalar(query, {"table": "users", "column": "role"})


def test_every_number_in_the_database_says_what_it_is(engine: Engine) -> None:
    """A column of time or amount without a comment leaves its unit to guessing."""
    query = text("""
        select c.relname || '.' || a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and not c.relispartition
          and a.attname ~ '(_us|_pts|_bytes|^pts|^bytes|confidence|similarity|velocity)$'
          and col_description(c.oid, a.attnum) is null
    """)
    with engine.begin() as connection:
        assert connection.scalars(query).all() == []


def test_looks_from_before_their_network_was_kept_stay_and_name_none(engine: Engine) -> None:
    yard, horse = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
    with engine.begin() as connection:
        settings = config()
        settings.attributes["connection"] = connection
        command.downgrade(settings, "0001")
        connection.execute(text(f"insert into farms (id, name, created_at) values ('{yard}', 'Yard', now())"))
        connection.execute(
            text(
                f"insert into horses (id, farm_id, name, stranger, created_at, updated_at)"
                f" values ('{horse}', '{yard}', 'Bella', false, now(), now())"
            )
        )
        connection.execute(
            text(f"insert into horse_looks (horse_id, kind, embedding, taken_us) values ('{horse}', 'left', '{{1, 0}}', 5)")
        )
    migrate(engine)
    with engine.begin() as connection:
        rows = connection.execute(text("select network, stream_id, track_id, vouched, embedding from horse_looks")).all()
    assert [tuple(row) for row in rows] == [(None, None, None, False, [1.0, 0.0])]


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    before = columns(engine, "chunks")
    migrate(engine)
    assert columns(engine, "chunks") == before


def test_the_files_are_named_by_their_revision(engine: Engine) -> None:
    assert newest() == ScriptDirectory.from_config(config()).get_current_head()
    with engine.begin() as connection:
        assert connection.scalar(text("select version_num from alembic_version")) == newest()


def test_a_database_can_be_taken_back(engine: Engine) -> None:
    with engine.begin() as connection:
        settings = config()
        settings.attributes["connection"] = connection
        command.downgrade(settings, "base")
        left = connection.scalars(
            text("select tablename from pg_tables where schemaname = 'public' and tablename <> 'alembic_version'")
        ).all()
    assert left == []
    migrate(engine)
    assert "bbox" in columns(engine, "detections")
