from __future__ import annotations

import ast
import re
from pathlib import Path

from shared import topology
from shared.messages import MESSAGE_TYPES, Wire
from tests.architecture.tree import ROOT, dotted_uses, python_files, syntax, tracked


def _used_by_services(name: str) -> list[str]:
    files = [path for path in python_files("services") if path.parts[1] != "stripe_simulator"]
    return [str(path) for path in files if name in dotted_uses(path)]


def test_every_message_type_is_listed_and_has_a_queue() -> None:
    """Every kind of message on the wire is in MESSAGE_TYPES and is bound to a queue."""
    assert set(MESSAGE_TYPES) == set(Wire.__subclasses__())
    routes = {str(message.model_fields["type"].default) for message in MESSAGE_TYPES}
    assert routes == {route for queue in topology.PIPELINE.queues for route in queue.routes}


def test_every_message_type_has_a_consumer() -> None:
    """Every kind of message is named by a service that handles it."""
    names = [message.__name__ for message in MESSAGE_TYPES]
    assert [name for name in names if not _used_by_services(f"shared.messages.{name}")] == []


def test_every_queue_has_a_worker() -> None:
    """Every queue is named by the composition of some service."""
    constants = {
        value: name for name, value in vars(topology).items() if name.isupper() and isinstance(value, str)
    }
    assert set(constants) == {queue.name for queue in topology.PIPELINE.queues}
    assert [name for name in constants.values() if not _used_by_services(f"shared.topology.{name}")] == []


def test_every_service_can_be_started_alone() -> None:
    """Every service folder has a `__main__` module."""
    folders = {path.parts[1] for path in python_files("services") if path.parent.parent.parts}
    assert [
        name for name in sorted(folders) if not (ROOT / "services" / name / "__main__.py").is_file()
    ] == []


def test_every_service_runs_in_the_compose_stack() -> None:
    """Every process of the pipeline is a service of `docker-compose.yml`; the back office is a command."""
    stack = set(re.findall(r"^  ([a-z_]+):", (ROOT / "docker-compose.yml").read_text(), re.MULTILINE))
    assert {path.parts[1] for path in python_files("services") if path.name == "__main__.py"} <= stack | {
        "backoffice"
    }


def test_migrations_are_numbered_without_gaps() -> None:
    """The migrations are 0001, 0002, … with a name each."""
    names = [path.name for path in tracked() if path.suffix == ".sql" and "migrations" in path.parts]
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.sql", name) for name in names)
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


def test_every_log_event_is_documented_and_every_documented_one_exists() -> None:
    """The events in `docs/logs.md` are exactly those that the code logs."""
    logged = {event for path in python_files() for event in _log_events(path)}
    documented = set(re.findall(r"^\| `([a-z0-9_]+)`", (ROOT / "docs" / "logs.md").read_text(), re.MULTILINE))
    assert sorted(logged - documented) == []
    assert sorted(documented - logged) == []


LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


def _log_events(path: Path) -> set[str]:
    """The literal first arguments of log calls; of a variable, all that is assigned to it in that file."""
    tree = syntax(path)
    assigned = {
        ast.unparse(target): node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
    }
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args and _logs(node.func)]
    firsts = [assigned.get(ast.unparse(call.args[0]), call.args[0]) for call in calls]
    words = [node for first in firsts for node in ast.walk(first) if isinstance(node, ast.Constant)]
    return {str(word.value) for word in words if isinstance(word.value, str)}


def _logs(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr in LEVELS
        and ast.unparse(function.value).split(".")[-1] in {"log", "_log"}
    )
