"""``barnhand models``: which networks there are, and which are in use."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from barnhand.cli.console import BAD_INPUT, FAILED, complain, err, out

if TYPE_CHECKING:
    from barnhand.networks.catalogue import Entry
    from barnhand.networks.shelf import Card

app = typer.Typer(help="Networks: list, pull, add, check and choose them.", no_args_is_help=True)


@app.command("list")
def list_(
    details: Annotated[
        bool, typer.Option("--details", help="Say what each is, where it is from and what it was measured at.")
    ] = False,
) -> None:
    """Show the networks that are here and those that can be pulled; a star marks those in use."""
    from rich.table import Table

    from barnhand.cli.networks import shelf

    here = shelf()
    cards = {card.name: card for card in here.cards()}
    known = {entry.name: entry for entry in here.catalogue}
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in ("", "name", "for", "family", "size", "licence", "where"):
        table.add_column(column, justify="right" if column == "size" else "left", no_wrap=True)
    for name in [*known, *(name for name in cards if name not in known)]:
        card = cards.get(name)
        facts = card or known[name]
        size = card.size if card else known[name].download_size or known[name].size
        table.add_row(
            "[green]*[/]" if card and here.active(facts.task) == name else "",
            name,
            facts.task.value,
            facts.family,
            "" if size is None else f"{size / 1e6:.1f} MB",
            facts.licence,
            _where(card, known.get(name)),
        )
    out().print(table)
    if details:
        for entry in known.values():
            _tell(entry)


@app.command()
def pull(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name `barnhand models list` shows.")],
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Take the network's licence as read; do not ask.")
    ] = False,
    proxy: Annotated[
        str | None, typer.Option("--proxy", metavar="URL", help="Go through this proxy; default is HTTPS_PROXY and its like.")
    ] = None,
) -> None:
    """Download a network, go on where an earlier try broke off, and check its hash."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from barnhand.cli.networks import shelf
    from barnhand.networks.catalogue import find
    from barnhand.networks.download import DownloadOptions, open_client
    from barnhand.networks.download import pull as fetch

    here = shelf()
    entry = find(here.catalogue, name)
    if entry.asks and entry.url and not accept_licence:
        _ask(entry)
    console = err()
    options = DownloadOptions(proxy=proxy)
    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with open_client(options) as client, Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=entry.download_size or entry.size)
        card = fetch(
            entry, here, client, options, progress=lambda done, total: progress.update(task, completed=done, total=total)
        )
    out().print(f"{card.name} is here ({card.size / 1e6:.1f} MB, {card.licence}, SHA-256 checked)")
    if here.active(card.task) != card.name:
        out().print(f"use it with: barnhand models use {card.name}")


@app.command()
def verify() -> None:
    """Hash every network that is here and compare it with what it should be."""
    from barnhand.cli.networks import shelf

    verdicts = shelf().verify()
    for verdict in verdicts:
        if verdict.fault is None:
            out().print(f"{verdict.name}: as it should be", markup=False)
        else:
            complain(f"network {verdict.name}: {verdict.fault}; pull or add it again")
    if not verdicts:
        out().print("there are no networks here")
    if any(verdict.fault for verdict in verdicts):
        raise typer.Exit(FAILED)


@app.command()
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An ONNX file of one of the families.")],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What to call it; default is its own name.")
    ] = None,
) -> None:
    """Take in a network you have as a file; its family is recognised by its inputs and outputs."""
    from barnhand.cli.networks import shelf

    card = shelf().add(file, name)
    out().print(
        f"{card.name}: a {card.family} network for {card.task.value} ({card.size / 1e6:.1f} MB, licence {card.licence})"
    )
    out().print(f"use it with: barnhand models use {card.name}")


@app.command()
def use(name: Annotated[str, typer.Argument(metavar="NAME", help="A network that is here.")]) -> None:
    """Use a network for its task from the next start on."""
    from barnhand.cli.networks import shelf

    card = shelf().use(name)
    out().print(f"{card.name} is now in use for {card.task.value}")


def _where(card: "Card | None", entry: "Entry | None") -> str:
    if card:
        return "embedded" if card.embedded else "here"
    if entry is None or entry.embedded:
        return "missing"
    return "to pull" if entry.url else "to export"


def _tell(entry: "Entry") -> None:
    lines = [entry.about, f"by {entry.author}; {entry.page}", f"input {entry.input}"]
    if entry.skeleton:
        lines.append(f"skeleton {entry.skeleton}")
    if entry.howto:
        lines.append(entry.howto)
    lines += [f"{figure.what} {figure.value:g} on {figure.on} ({figure.by})" for figure in entry.measured]
    if entry.sha256:
        lines.append(f"SHA-256 {entry.sha256}")
    out().print(f"\n{entry.name}", style="bold")
    for line in lines:
        out().print(f"  {line}", markup=False)


def _ask(entry: "Entry") -> None:
    """Show the licence and go on only with a yes. Raises ``typer.Exit`` otherwise."""
    err().print(f"[bold]{entry.name}[/] by {entry.author} is licensed under [bold]{entry.licence}[/]; see {entry.page}")
    if entry.licence.startswith("AGPL"):
        err().print(
            "AGPL-3.0 asks that whoever offers a service built with it gives its users the source of the whole service. "
            "BarnHand itself is MIT and does not need this network."
        )
    if not err().is_terminal or not typer.confirm("Pull it under this licence?", err=True):
        complain(f"{entry.name} was not pulled; to take its licence as read, add --accept-licence")
        raise typer.Exit(BAD_INPUT)
