"""What TimescaleDB's compression makes of a day of detections: bytes before and after its own policy has run.

    python benchmarks/compression.py --url postgresql://…/a_fresh_database [--rows 1000000]

Eight cameras with two horses each at five pictures a second, ten days ago. Boxes and key points move as a horse at a walk does
and tremble by a pixel, as a network's answers do; that is what compression cannot take out.
"""

import argparse
import time

from sqlalchemy import text

from barnhand.store import timeseries
from barnhand.store.database import connect
from barnhand.store.migrate import migrate

CAMERAS, HORSES = 8, 2
FILL = text("""
    insert into detections
        (time, stream_id, track_id, horse_id, pts, width, height, bbox, confidence, certainty, similarity, color, skeleton,
         pose_keypoints, interpolated, metrics)
    select at, md5('camera ' || camera)::uuid, 10 * (n / 3000) + horse, md5('horse ' || camera || horse)::uuid,
           (extract(epoch from at) * 90000)::bigint, 1280, 720,
           jsonb_build_object(
               'x', round((400 + 300 * sin(n / 90.0 + camera) + 2 * random())::numeric, 1),
               'y', round((200 + 50 * cos(n / 70.0) + 2 * random())::numeric, 1),
               'width', round((310 + 4 * random())::numeric, 1),
               'height', round((260 + 4 * random())::numeric, 1)),
           round((0.8 + 0.15 * random())::numeric, 3), 'confirmed', round((0.7 + 0.2 * random())::numeric, 3), 'red',
           'horse-20',
           array(
               select case when mod(k, 3) = 2 then round((0.6 + 0.35 * random())::numeric, 3)
                           else round((400 + 300 * sin(n / 90.0 + camera) + 5 * k
                                       + 3 * sin(n / 2.0 + k) + random())::numeric, 1)
                      end::real
               from generate_series(0, 59) k where n is not null),
           false,
           jsonb_build_object(
               'velocity', round((1.4 + 0.3 * random())::numeric, 4),
               'stride_frequency', round((0.9 + 0.1 * random())::numeric, 4),
               'stride_quality', round((0.7 + 0.2 * random())::numeric, 4), 'gait', null)
    from (
        select date_trunc('day', now()) - interval '10 days' + n * interval '200 ms' + camera * interval '7 ms' as at,
               n, camera, horse
        from generate_series(0, :pictures - 1) n, generate_series(1, :cameras) camera, generate_series(1, :horses) horse
    ) seen
""")
POLICY = (
    "select job_id from timescaledb_information.jobs where hypertable_name = 'detections' and proc_name = 'policy_compression'"
)
SIZES = "select before_compression_total_bytes, after_compression_total_bytes from hypertable_compression_stats('detections')"
MINUTE = text("""
    select count(*) from detections
    where stream_id = md5('camera 3')::uuid and time >= (select min(time) from detections) + interval '1 minute'
      and time < (select min(time) from detections) + interval '2 minutes'
""")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    engine = connect(arguments.url, statement_timeout_s=0)
    migrate(engine)
    with engine.begin() as connection:
        if timeseries.used(connection).name != "timescaledb":
            parser.error("this server has no TimescaleDB")
        pictures = arguments.rows // (CAMERAS * HORSES)
        connection.execute(FILL, {"pictures": pictures, "cameras": CAMERAS, "horses": HORSES})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        rows = connection.exec_driver_sql("select count(*) from detections").scalar_one()
        began = time.perf_counter()
        connection.exec_driver_sql(f"call run_job({connection.exec_driver_sql(POLICY).scalar_one()})")
        took = time.perf_counter() - began
        before, after = connection.exec_driver_sql(SIZES).one()
        began = time.perf_counter()
        found = connection.execute(MINUTE).scalar_one()
        read = time.perf_counter() - began
    print(f"rows                  {rows}")
    print(f"before                {before / 1e6:8.0f} MB, indexes included, {before / rows:.0f} bytes a row")
    print(f"after                 {after / 1e6:8.0f} MB, {after / rows:.0f} bytes a row; the policy ran {took:.0f} s")
    print(f"a minute of a camera  {read * 1000:8.0f} ms for {found} rows")
    engine.dispose()


if __name__ == "__main__":
    main()
