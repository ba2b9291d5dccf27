"""What commands say: results on standard output, everything else on standard error."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from barnhand.core.errors import BarnHandError

FAILED = 1
"""Exit code when a command could not do its work."""
BAD_INPUT = 2
"""Exit code when something given could not be used: a file, an address, a setting. What else was given is done."""

T = TypeVar("T")


def out() -> Console:
    """For results; into a file or a pipe lines are not cut to a terminal's width."""
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, emoji=False, width=160)


def err() -> Console:
    """For complaints and progress."""
    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def complain(message: str | BarnHandError) -> None:
    """One line on standard error."""
    line = " ".join(str(message).split())
    err().print(f"[bold red]barnhand:[/] {escape(line)}")


def tracked(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """The items with a progress bar on standard error, drawn when that is a terminal."""
    console = err()
    with Progress(
        TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console, transient=True,
        disable=not console.is_terminal,
    ) as progress:  # fmt: skip
        task = progress.add_task(what, total=total)
        for item in items:
            yield item
            progress.advance(task)
