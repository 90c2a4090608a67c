from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from services.backoffice.cli.main import PLACES, app

SERVERS = {"up", "pages"}
"""They say where they are in a line of their own, and run on."""
FORMATS = {"report", "export"}
"""They have `--format json`."""


def commands() -> Iterator[tuple[str, Any]]:
    """Every command by its words, those of groups too."""
    waiting = [("", typer.main.get_command(app))]
    while waiting:
        name, command = waiting.pop()
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name, command
        else:
            waiting += [(f"{name} {word}".strip(), inner[word]) for word in inner]


def options(command: Any) -> set[str]:  # noqa: ANN401 - typer's own
    """The names of a command's options."""
    return {option for parameter in command.params for option in parameter.opts}


def test_every_command_can_be_found_and_says_what_it_does() -> None:
    """Each place holds the command of its name, with a line of help."""
    found = dict(commands())
    assert {name.partition(" ")[0] for name in found} == set(PLACES)
    assert [name for name, command in found.items() if not command.help] == []


def test_every_command_answers_programs_too() -> None:
    """With `--json`, or a format of that name."""
    silent = {name for name, command in commands() if "--json" not in options(command)}
    assert silent == SERVERS | FORMATS
