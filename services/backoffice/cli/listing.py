"""Answering with a list: for machines, as a table, or in words where there is nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

import typer

T = TypeVar("T")


def answer(
    found: Sequence[T],
    show: Callable[[Sequence[T]], None],
    *,
    nothing: str,
    as_json: bool,
    document: Callable[[Any], object] = asdict,
) -> None:
    """Print `found` as JSON, a `document` for each, or `show` it; `nothing` is said where there is none."""
    if as_json:
        typer.echo(json.dumps([document(one) for one in found], default=str, indent=2))
    elif found:
        show(found)
    else:
        typer.echo(nothing)
