"""A run's progress bar for people and its JSON lines for later."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class RunLog:
    """Use as a context manager. `step` moves the bar, `write` appends one line to `log.jsonl`.

    On a terminal the bar is drawn; into a file or pipe only the written lines are printed.
    """

    def __init__(self, folder: Path, title: str, total: int, *, console: Console | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "log.jsonl"
        self._console = console or Console(file=sys.stderr)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task(title, total=total, note="")

    def __enter__(self) -> RunLog:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def step(self, done: int, note: str = "") -> None:
        """Set the bar to `done` with a short note behind it."""
        self._progress.update(self._task, completed=done, note=note)

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one JSON line and print it compactly. Numbers that are not finite become null."""
        clean = {key: _finite(value) for key, value in record.items()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(clean) + "\n")
        self._console.print(" ".join(f"{key}={_short(value)}" for key, value in clean.items()), highlight=False, soft_wrap=True)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
