"""Rows a second through the store: from `Spool.append` to a commit in the embedded PostgreSQL.

    python benchmarks/store.py [--rows 20000] [--url postgresql://…]

Observations of one horse with 20 key points, as an analyst tells them.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import numpy as np

from barnhand.core.identity import Certainty, Identity
from barnhand.core.observation import HorseObservation, Observation
from barnhand.core.pose import Pose
from barnhand.core.stream import SourceType
from barnhand.core.time import SystemClock, pts_of_wall
from barnhand.store.addresses import Address
from barnhand.store.database import connect
from barnhand.store.embedded import EmbeddedPostgres
from barnhand.store.migrate import migrate
from barnhand.store.secrets import SecretBox
from barnhand.store.spool import Spool
from barnhand.store.store import Store
from barnhand.store.writer import Writer


def observations(stream_id: str, count: int, start_us: int) -> list[Observation]:
    random = np.random.default_rng(1)
    horse = str(uuid4())
    found = []
    for n in range(count):
        points = random.uniform(0, 1280, (20, 2)).astype(np.float32)
        pose = Pose("horse-20", points, random.uniform(0, 1, 20).astype(np.float32))
        box = np.array([10.5, 20.25, 310.125, 420.75], np.float32)
        metrics = {"velocity": float(random.uniform(0, 3)), "stride_frequency": 1.2, "stride_quality": 0.8, "gait": None}
        seen = HorseObservation(7, "red", box, 0.87, Identity(horse, "Bella", Certainty.CONFIRMED, 0.9), pose, metrics)
        wall_us = start_us + n * 200_000
        found.append(Observation(stream_id, wall_us, pts_of_wall(wall_us), 1280, 720, (seen,)))
    return found


def measure(url: str, folder: Path, count: int) -> None:
    engine = connect(url)
    migrate(engine)
    store = Store(engine, SecretBox.open(folder / "secrets"))
    stream = store.streams.create(name="Box 1", source_type=SourceType.RTSP, address=Address("rtsp://camera/1"))
    start_us = SystemClock().wall_us() - count * 200_000
    rows = [observation.to_dict() for observation in observations(stream.id, count, start_us)]
    spool = Spool(folder / "spool")

    began = time.perf_counter()
    for row in rows:
        spool.append("observation", [row])
    appended = time.perf_counter() - began
    spool.close()
    size = sum(path.stat().st_size for path in (folder / "spool").glob("*.jsonl"))

    writer = Writer(folder / "spool", engine)
    began, cpu = time.perf_counter(), time.process_time()
    while writer.step():
        pass
    copied, used = time.perf_counter() - began, time.process_time() - cpu

    with engine.begin() as connection:
        there = connection.exec_driver_sql("select count(*) from detections").scalar_one()
        stored = connection.exec_driver_sql(
            "select sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = 'detections'::regclass"
        ).scalar_one()
        array = connection.exec_driver_sql("select avg(pg_column_size(pose_keypoints)) from detections").scalar_one()
    named = len(json.dumps(rows[0]["horses"][0]["pose"], separators=(",", ":")))
    print(f"rows                        {there}")
    print(f"append, one row a call      {count / appended:10.0f} rows/s   {size / count:6.0f} bytes a row in the spool")
    print(f"spool to commit             {there / copied:10.0f} rows/s   {there / used:6.0f} rows a second of the writer's CPU")
    print(f"in the database             {float(stored) / there:10.0f} bytes a row, indexes included")
    print(f"key points                  {float(array):10.0f} bytes as an array, {named} as JSON with names")
    store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--url", help="a fresh database to use instead of an embedded one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="barnhand-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        if arguments.url:
            measure(arguments.url, folder, arguments.rows)
            return
        server = EmbeddedPostgres(folder / "postgres")
        server.start()
        try:
            measure(server.url, folder, arguments.rows)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
