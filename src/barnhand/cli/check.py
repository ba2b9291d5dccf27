"""``barnhand check``: is every recording where its row says, and has every recording a row?"""

from typing import Annotated

import typer
from rich.markup import escape

from barnhand.cli.console import FAILED, out


def check(
    dry: Annotated[bool, typer.Option("--dry", help="Say what is wrong and change nothing.")] = False,
) -> None:
    """Prove that recordings and database agree, and mend what can be mended. May run beside BarnHand."""
    from barnhand.app import checking
    from barnhand.app.folder import DataFolder, Lock
    from barnhand.app.local import local_database
    from barnhand.core.time import SystemClock
    from barnhand.settings.settings import read_settings

    settings = read_settings()
    folder = DataFolder(settings.data)
    folder.prepare()
    lock = Lock(folder.run / "barnhand.lock")
    running = lock.take() is not None
    lock.give_back()
    left = mended = 0
    with local_database(settings) as (store, database):
        for line in checking.check(folder, store, database, SystemClock(), running=running, mend=not dry):
            if line.done is None:
                left += 1
                out().print(f"[yellow]{escape(line.where)}[/]: {escape(line.what)}")
            else:
                mended += 1
                out().print(f"[green]{escape(line.where)}[/]: {escape(line.what)}: {escape(line.done)}")
    if left == mended == 0:
        out().print("Recordings and rows agree.")
    else:
        out().print(f"{mended} mended, {left} left.")
    if left:
        raise typer.Exit(FAILED)
