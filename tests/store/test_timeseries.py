"""Detections are cut into days, rolled up into hours with their coverage, and dropped by age."""

import pytest
from sqlalchemy import Engine, text
from tests.store_rows import NOON_US, count, drain, horse_seen, new_id, observation_of

from barnhand.core.time import FakeClock, datetime_of_wall
from barnhand.store import timeseries
from barnhand.store.spool import Spool
from barnhand.store.store import Store
from barnhand.store.writer import Writer

SECOND, HOUR, DAY = 1_000_000, 3_600_000_000, 86_400_000_000


@pytest.fixture
def plain(engine: Engine) -> None:
    with engine.begin() as connection:
        if timeseries.used(connection).name != "partitions":
            pytest.skip("this database keeps its days with TimescaleDB")


@pytest.fixture
def timescale(engine: Engine) -> None:
    with engine.begin() as connection:
        if timeseries.used(connection).name != "timescaledb":
            pytest.skip("this database keeps its days in partitions; docs/design/schema.md says how TimescaleDB is tried")


def partitions(engine: Engine) -> set[str]:
    with engine.begin() as connection:
        query = "select inhrelid::regclass::text from pg_inherits where inhparent = 'detections'::regclass"
        return set(connection.exec_driver_sql(query).scalars())


def see(spool: Spool, stream: str, horse: str | None, times: list[int], *velocities: float | None) -> None:
    speeds = list(velocities) or [None]
    spool.append(
        "observation",
        [
            observation_of(stream, time, horse_seen(1, horse, "Bella", {"velocity": speeds[n % len(speeds)]})).to_dict()
            for n, time in enumerate(times)
        ],
    )


@pytest.mark.usefixtures("plain")
def test_days_are_made_ahead_and_when_rows_come(engine: Engine, stream: str, spool: Spool, writer: Writer) -> None:
    writer.upkeep()
    assert {"detections_p20261125", "detections_p20261128"} <= partitions(engine)
    see(spool, stream, None, [NOON_US - 40 * DAY])
    drain(writer)
    assert "detections_p20261016" in partitions(engine)


@pytest.mark.usefixtures("plain")
def test_old_days_are_dropped_whole(engine: Engine, stream: str, spool: Spool, writer: Writer, clock: FakeClock) -> None:
    see(spool, stream, None, [NOON_US - 364 * DAY, NOON_US])
    drain(writer)
    clock.advance(2 * 86_400)
    writer.upkeep()
    assert count(engine, "detections") == 1
    assert not any(name.startswith("detections_p2025") for name in partitions(engine))


@pytest.mark.usefixtures("timescale")
def test_timescaledb_compresses_refreshes_and_drops_by_itself(engine: Engine, writer: Writer) -> None:
    writer.upkeep()
    query = text("""
        select proc_name, config ->> 'drop_after', config ->> 'compress_after', config ->> 'start_offset',
               config ->> 'end_offset', schedule_interval = interval '1 hour' as hourly
        from timescaledb_information.jobs where hypertable_name is not null order by proc_name, 2
    """)
    with engine.begin() as connection:
        jobs = [tuple(row) for row in connection.execute(query)]
        days = "select time_interval = interval '1 day' from timescaledb_information.dimensions"
        days += " where hypertable_name = 'detections'"
        assert connection.exec_driver_sql(days).scalar_one()
    assert [(*job[:5], job[5] if "refresh" in job[0] else None) for job in jobs] == [
        ("policy_compression", None, "7 days", None, None, None),
        ("policy_refresh_continuous_aggregate", None, None, "03:00:00", "01:00:00", True),
        ("policy_retention", "365 days", None, None, None, None),
        ("policy_retention", "3650 days", None, None, None, None),
    ]


def test_old_hours_are_dropped(
    store: Store, engine: Engine, stream: str, spool: Spool, writer: Writer, clock: FakeClock
) -> None:
    see(spool, stream, new_id(), [NOON_US])
    drain(writer)
    clock.advance(3 * 3600)
    writer.upkeep()
    assert len(store.activity.hours(NOON_US, NOON_US + HOUR)) == 1
    clock.advance(3651 * 86_400)
    writer.upkeep()
    with engine.begin() as connection:
        if timeseries.used(connection).name == "timescaledb":
            pytest.skip("its policy goes by the server's clock")
    assert store.activity.hours(NOON_US, NOON_US + HOUR) == []


def test_an_hour_is_rolled_up_an_hour_after_it_ended(
    store: Store, stream: str, spool: Spool, writer: Writer, clock: FakeClock
) -> None:
    horse = new_id()
    see(spool, stream, horse, [NOON_US + n * 200_000 for n in range(100)], 1.0, None, 3.0)
    drain(writer)
    clock.advance(2 * 3600 - 1)
    writer.upkeep()
    assert store.activity.hours(NOON_US, NOON_US + HOUR) == []
    clock.advance(2)
    writer.upkeep()
    (hour,) = store.activity.hours(NOON_US, NOON_US + HOUR)
    assert (hour.stream_id, hour.horse_id, hour.detection_count) == (stream, horse, 100)
    assert hour.avg_velocity == pytest.approx((34 * 1.0 + 33 * 3.0) / 67)
    assert hour.max_velocity == 3.0
    assert hour.observed_seconds == pytest.approx(99 * 0.2)


def test_never_measured_is_not_zero(store: Store, stream: str, spool: Spool, writer: Writer, clock: FakeClock) -> None:
    see(spool, stream, new_id(), [NOON_US], None)
    drain(writer)
    clock.advance(3 * 3600)
    writer.upkeep()
    (hour,) = store.activity.hours(NOON_US, NOON_US + HOUR)
    assert (hour.avg_velocity, hour.max_velocity) == (None, None)


def test_watched_without_a_horse_differs_from_not_watched(
    store: Store, stream: str, spool: Spool, writer: Writer, clock: FakeClock
) -> None:
    pictures = [NOON_US + n * SECOND for n in range(60)]
    spool.append("observation", [observation_of(stream, time).to_dict() for time in pictures])
    drain(writer)
    clock.advance(5 * 3600)
    writer.upkeep()
    assert store.activity.hours(NOON_US, NOON_US + 3 * HOUR) == []
    (watched,) = store.activity.coverage(NOON_US, NOON_US + 3 * HOUR)
    assert (watched.hour, watched.pictures, watched.observed_seconds) == (datetime_of_wall(NOON_US), 60, 59.0)


def test_what_comes_late_is_rolled_up_too(store: Store, stream: str, spool: Spool, writer: Writer, clock: FakeClock) -> None:
    """Chunks that could not be analysed live are analysed when there is time."""
    horse = new_id()
    see(spool, stream, horse, [NOON_US])
    drain(writer)
    clock.advance(30 * 3600)
    writer.upkeep()
    see(spool, stream, horse, [NOON_US + SECOND])
    drain(writer)
    writer.upkeep()
    (hour,) = store.activity.hours(NOON_US, NOON_US + HOUR)
    assert hour.detection_count == 2


def test_a_correction_rewrites_the_figures_it_touches(
    store: Store, stream: str, spool: Spool, writer: Writer, clock: FakeClock
) -> None:
    stranger, bella = new_id(), store.horses.create(name="Bella").id
    see(spool, stream, stranger, [NOON_US])
    drain(writer)
    clock.advance(3 * 3600)
    writer.upkeep()
    store.horses.merge(stranger, bella)
    writer.upkeep()
    assert [hour.horse_id for hour in store.activity.hours(NOON_US, NOON_US + HOUR)] == [bella]


def test_the_roll_up_waits_for_a_correction_of_an_hour_it_has_already(
    store: Store, engine: Engine, stream: str, spool: Spool, writer: Writer
) -> None:
    """The merge makes the hour's row anew: its lock is what the roll-up waits for, and its version what it goes by."""
    stranger, bella = new_id(), store.horses.create(name="Bella").id
    see(spool, stream, stranger, [NOON_US])
    drain(writer)

    def version() -> str:
        with engine.begin() as connection:
            return str(connection.scalar(text("select xmin from stale_hours")))

    before = version()
    store.horses.merge(stranger, bella)
    assert version() != before


def test_the_views_name_their_hours(engine: Engine) -> None:
    with engine.begin() as connection:
        comment = connection.execute(text("select obj_description('hourly_horse_activity'::regclass)")).scalar_one()
    assert "coverage" in comment


def test_a_server_without_timescaledb_gets_partitions(engine: Engine) -> None:
    with engine.begin() as connection:
        offered = "select count(*) from pg_available_extensions where name = 'timescaledb'"
        if connection.exec_driver_sql(offered).scalar_one():
            pytest.skip("this server offers TimescaleDB")
        assert timeseries.used(connection).name == "partitions"
