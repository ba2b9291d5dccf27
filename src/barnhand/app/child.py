"""One process of ours: started, told what to do over its standard input, started again when it dies."""

import json
import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from barnhand.core.time import Clock

log = logging.getLogger(__name__)

FIRST_RESTARTS_AT_ONCE = 3
CALM_SECONDS = 60.0
LONGEST_WAIT_SECONDS = 30.0


def backoff(deaths: int) -> float:
    """Seconds to wait before a restart: none for the first few deaths, then doubling to half a minute."""
    if deaths <= FIRST_RESTARTS_AT_ONCE:
        return 0.0
    return float(min(LONGEST_WAIT_SECONDS, 2 ** (deaths - FIRST_RESTARTS_AT_ONCE)))


class Child:
    """A worker process.

    The first line on its standard input is its configuration, each later line an instruction; the end of the input means
    stop. So a password is never in an argument or an environment variable, and a worker whose parent is killed stops by
    itself.
    """

    def __init__(self, name: str, role: str, configuration: Mapping[str, Any], logs: Path, clock: Clock) -> None:
        self.name = name
        self._role = role
        self._configuration = configuration
        self._logs = logs
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._last_instruction: Mapping[str, Any] | None = None
        self._started = 0.0
        self._deaths = 0
        self._not_before = 0.0
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    def start(self) -> None:
        """Start the process; its output goes to its log."""
        self._logs.mkdir(parents=True, exist_ok=True)
        command: Sequence[str] = [sys.executable, "-m", "barnhand.app.worker", self._role]
        with (self._logs / f"{self.name}.log").open("ab") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
            )
        self._started = self._clock.monotonic()
        self._send(self._configuration)
        if self._last_instruction is not None:
            self._send(self._last_instruction)

    def instruct(self, instruction: Mapping[str, Any]) -> None:
        """Tell the process something; a restarted one is told the last instruction again."""
        if instruction != self._last_instruction:
            self._last_instruction = instruction
            self._send(instruction)

    def watch(self) -> None:
        """Start the process again if it died; to be called a few times a second."""
        if self._process is None:
            return
        code = self._process.poll()
        now = self._clock.monotonic()
        if code is None:
            if self._deaths and now - self._started > CALM_SECONDS:
                self._deaths = 0
            return
        if self._not_before == 0.0:
            self._deaths += 1
            wait = backoff(self._deaths)
            self._not_before = now + wait
            log.warning("%s ended with code %s; it starts again in %.0f s", self.name, code, wait)
        if now >= self._not_before:
            self._not_before = 0.0
            self.restarts += 1
            self.start()

    def ask_to_stop(self) -> None:
        """Close its input, which means stop, without waiting: several children can then end side by side."""
        if self._process is not None and self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                log.debug("%s was gone already", self.name)

    def stop(self, seconds: float = 8.0) -> None:
        """Ask it to stop, wait, then insist."""
        self.ask_to_stop()
        process, self._process = self._process, None
        if process is None:
            return
        for insist in (None, process.terminate, process.kill):
            if insist is not None:
                log.warning("%s does not stop by itself; it is ended", self.name)
                insist()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
            return

    def _send(self, message: Mapping[str, Any]) -> None:
        if self._process is None or self._process.stdin is None:
            return
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            log.debug("%s died before it could be told; it is told after its restart", self.name)
