"""docs/commands.md tells of every command and every option there is, and of none that is not."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from typer.main import get_command

from barnhand.cli import build

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "commands.md").read_text("utf-8")


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, child in inner.items():
        yield from commands(child, f"{name} {word}")


COMMANDS = dict(commands(get_command(build()), "barnhand"))
SECTIONS = {
    match["name"]: match["text"]
    for match in re.finditer(r"^## `(?P<name>barnhand[^`]*?)`\n(?P<text>.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
}


def test_every_command_has_its_section_and_no_other_has() -> None:
    assert set(SECTIONS) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_told_of_and_no_other_is(name: str) -> None:
    there = {option for parameter in COMMANDS[name].params for option in parameter.opts if option.startswith("--")} - {"--help"}
    told = set(re.findall(r"^\| `(--[a-z-]+)", SECTIONS.get(name, ""), re.MULTILINE))
    assert told == there


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_is_for(name: str) -> None:
    assert COMMANDS[name].help
