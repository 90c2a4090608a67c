from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from services.backoffice.settings import MachineSettings, PagesSettings
from services.ingest.settings import IngestSettings
from services.notifier.settings import NotifierSettings
from services.reconciler.settings import ReconcilerSettings
from services.stock_worker.settings import StockWorkerSettings
from services.stripe_simulator.settings import SimulatorSettings
from shared.settings import Common, DatabaseSettings
from tests.architecture.tree import ROOT

READ: Final[dict[str, tuple[type[Common], ...]]] = {
    "ingest": (IngestSettings,),
    "stock_worker": (StockWorkerSettings,),
    "reconciler": (ReconcilerSettings,),
    "notifier": (NotifierSettings,),
    "stripe_simulator": (SimulatorSettings,),
    "migrate": (DatabaseSettings,),
    "pages": (PagesSettings,),
    # Its doctor has every service read its settings.
    "backoffice": (
        MachineSettings,
        IngestSettings,
        StockWorkerSettings,
        ReconcilerSettings,
        NotifierSettings,
    ),
}
"""What the process of each service of the stack reads."""

LEFT_OUT: Final[dict[str, set[str]]] = {
    # The image names a folder in memory; nothing of a container's own has to last.
    "": {"STOCKSYNC_HOME"},
    # It faces the internet: it gets no key to lose, and with RabbitMQ it needs no database.
    "ingest": {"STRIPE_API_KEY", "DATABASE_URL"},
    # Only read without a key, and the stack always has one.
    "backoffice": {"SIMULATOR_ACCOUNT", "SIMULATOR_BIND"},
    # `stripe listen` runs on the machine and would need the port published; it has the simulator of `stocksync up`.
    "stripe_simulator": {"SIMULATOR_LISTEN_PORT"},
}
"""What a service could read and is not given on purpose; the empty name is for all of them."""

NO_SETTINGS: Final = {"USER"}
"""What commands note as the person who ran them."""


@cache
def _compose() -> list[str]:
    return (ROOT / "docker-compose.yml").read_text().splitlines()


def _below(start: int) -> list[str]:
    """The line at `start` and those that are indented deeper."""
    lines = _compose()
    depth = len(lines[start]) - len(lines[start].lstrip())
    end = start + 1
    while end < len(lines) and (not lines[end].strip() or lines[end].startswith(" " * (depth + 1))):
        end += 1
    return lines[start:end]


def _spread(block: list[str]) -> list[str]:
    """`block`, and after it the blocks that its anchors lead to."""
    found = list(block)
    for line in block:
        for name in re.findall(r"\*(\w+)", line.split(" #")[0]):
            anchor = next(n for n, text in enumerate(_compose()) if re.search(rf": &{name}$", text))
            found += _spread(_below(anchor)[1:])
    return found


def _given(service: str) -> set[str]:
    """The settings that a service of `docker-compose.yml` gets, as environment or as a file in /run/secrets."""
    start = next(n for n, line in enumerate(_compose()) if re.match(rf"  {service}:( #.*)?$", line))
    lines = _spread(_below(start))
    environment = {match[1] for line in lines if (match := re.match(r" +([A-Z_]+):", line))}
    secrets = next(re.sub(r"\{source: \w+, target: (\w+)\}", r"\1", s) for s in lines if "secrets: [" in s)
    files = re.findall(r"\w+", secrets.partition("[")[2])
    return environment | {file.upper() for file in files}


def _fields(service: str) -> set[str]:
    return {field.upper() for settings in READ[service] for field in settings.model_fields}


def test_every_process_of_the_stack_has_its_settings_compared() -> None:
    """Whatever runs our image in `docker-compose.yml` is compared with its settings here."""
    text = "\n".join(_compose())
    ours = re.findall(r"^  (\w+):(?: #.*)?\n    <<: \*(?:service|worker)$", text, re.MULTILINE)
    assert sorted(ours) == sorted(READ)


@pytest.mark.parametrize("service", READ)
def test_every_service_of_the_stack_is_given_exactly_what_it_reads(service: str) -> None:
    """Each setting that a service reads is passed on by `docker-compose.yml` or left out on purpose, and no other."""
    fields, given = _fields(service), _given(service)
    left_out = (LEFT_OUT[""] | LEFT_OUT.get(service, set())) & fields
    assert sorted(fields - given) == sorted(left_out)
    assert sorted(given - fields - NO_SETTINGS) == []


@pytest.mark.parametrize("settings", sorted({s for all_of in READ.values() for s in all_of}, key=str))
def test_an_empty_setting_is_an_unset_one(
    settings: type[Common], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What `docker-compose.yml` passes on empty counts as unset, whatever its type."""
    monkeypatch.chdir(tmp_path)  # no `.env`
    names = [field.upper() for field in settings.model_fields]
    for name in names:
        monkeypatch.delenv(name, raising=False)
    unset = settings()
    for name in names:
        monkeypatch.setenv(name, "")
    assert settings() == unset
