"""The list of commands and the one place where errors become a line and an exit code."""

import sys
from collections.abc import Sequence

import typer

from barnhand.cli import add, analyze, check, demo, detect, models, pose, up
from barnhand.cli.console import BAD_INPUT, FAILED, complain
from barnhand.core.errors import BarnHandError, ConfigurationError, MediaError, ModelError, NotFoundError


def build() -> typer.Typer:
    """The command line with every command registered, one line each."""
    app = typer.Typer(
        name="barnhand",
        help="Watches horses through a stable's cameras.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.command("up")(up.up)
    app.command("demo")(demo.demo)
    app.command("add")(add.add)
    app.command("check")(check.check)
    app.command("detect")(detect.detect)
    app.command("pose")(pose.pose)
    app.command("analyze")(analyze.analyze)
    app.add_typer(models.app, name="models")
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code; a known error is one line on standard error."""
    try:
        build()(args=arguments)
    except BarnHandError as error:
        complain(error)
        sys.exit(BAD_INPUT if isinstance(error, (ConfigurationError, MediaError, ModelError, NotFoundError)) else FAILED)
