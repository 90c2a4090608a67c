"""The I/O points of the stock worker's driver, found in its source, and the one that a call comes from."""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from services.stock_worker import sync

DRIVER: Final = Path(sync.__file__).parent
SELLING: Final = {"selling.py", "selling_sessions.py", "selling_stops.py", "shopfront.py"}
BESIDE: Final = {"refunds.py", "inspection.py", *SELLING}
"""No part of the driver: what came back asks people, a look changes nothing, what is on sale is no stock."""
DOORS: Final = {"books", "stripe", "sitting"}
"""What the driver calls its books, Stripe, and a pinned connection."""

STEPS: Final = {
    "sitting": ("open", "close"),
    "transaction": ("begin", "commit"),
    "try_lock": ("try_lock",),
    "unlock": ("unlock",),
    "run": ("run",),
    "product": ("GET product",),
    "product_updates": ("GET events",),
    "checkout_sessions": ("GET sessions",),
    "write_metadata": ("POST",),
}
"""What each call does, one point a step."""


def _files() -> list[Path]:
    return sorted(path for path in DRIVER.rglob("*.py") if path.name not in BESIDE)


@cache
def sites() -> dict[tuple[str, int], str]:
    """Where in which file the driver calls through one of its doors, by the name of the place."""
    found: dict[tuple[str, int], str] = {}
    for path in _files():
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                where = f"{path.stem}.{function.name}"
                found |= {(str(path), line): name for line, name in _named(where, function)}
    return found


@cache
def all_points() -> frozenset[str]:
    """The name of every I/O point there is: where the driver calls, and which step of the call it is."""
    calls = {
        (name, method)
        for path in _files()
        for line, method in _calls(ast.parse(path.read_text(encoding="utf-8")))
        if (name := sites().get((str(path), line)))
    }
    return frozenset(f"{name} {step}" for name, method in calls for step in STEPS[method])


def caller() -> str:
    """The place in the driver that is calling now; raises LookupError where the source shows none there."""
    frame = inspect.currentframe()
    while frame is not None and not frame.f_code.co_filename.startswith(str(DRIVER)):
        frame = frame.f_back
    if frame is None:
        raise LookupError("nobody in the driver called")
    return sites()[frame.f_code.co_filename, frame.f_lineno]


def _named(where: str, function: ast.FunctionDef) -> Iterator[tuple[int, str]]:
    """Each line of `function` that calls, and its name: numbered where the function does the same twice."""
    calls = sorted(_calls(function))
    times, seen = Counter(method for _, method in calls), Counter[str]()
    for line, method in calls:
        seen[method] += 1
        yield line, where + (f"({seen[method]})" if times[method] > 1 else "")


def _calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and method of every call through a door."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            door = call.func.value
            name = door.attr if isinstance(door, ast.Attribute) else getattr(door, "id", None)
            if name in DOORS:
                yield call.lineno, call.func.attr
