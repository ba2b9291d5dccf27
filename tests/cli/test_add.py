"""``barnhand add``, on a folder on which BarnHand runs or not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from barnhand.app.folder import DataFolder
from barnhand.demo import films
from barnhand.store.embedded import EmbeddedPostgres


@pytest.mark.parametrize("running", [False, True])
def test_a_camera_added_where_nothing_runs_says_what_starts_it(open_folder: Path, running: bool) -> None:
    folder = DataFolder(open_folder / f"added-{running}")
    folder.prepare()
    lock, database = folder.lock, EmbeddedPostgres(folder.postgres)
    if running:  # as BarnHand does
        assert lock.take() is None
        database.start()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("BARNHAND_")}
    done = subprocess.run(
        [sys.executable, "-m", "barnhand", "add", "Box 3", str(films()[0].video)],
        env={**environment, "BARNHAND_DATA": str(folder.root), "COLUMNS": "500"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    database.stop()
    lock.give_back()
    assert done.returncode == 0, done.stderr
    assert "Box 3 is added as" in done.stdout
    assert ("does not run on" in done.stdout) is not running
    assert not folder.lock.held()
