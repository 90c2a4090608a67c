"""Commands that are imported when they are named, so that none waits for what only others need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any, Final, cast

import typer
from typer.core import TyperGroup

PACKAGE: Final = "services.backoffice.cli"


class Lazy(TyperGroup):
    """A group whose commands `places` names, each with the module beside this one whose `app` has it, or is it."""

    places: Mapping[str, str]

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - what typer gives a group
        super().__init__(**attributes)
        self.commands = cast("MutableMapping[str, Any]", _Imported(self.places))  # nobody adds to it


class _Imported(Mapping[str, Any]):
    """Commands by name, made when they are asked for."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = dict(places)
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - the class is typer's own matter
        if name not in self._made:
            self._made[name] = _command(name, self._places[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _command(name: str, module: str) -> object:
    app: typer.Typer = import_module(f"{PACKAGE}.{module}").app
    command = typer.main.get_command(app)
    command = getattr(command, "commands", {}).get(name, command)
    command.name = name
    return command
