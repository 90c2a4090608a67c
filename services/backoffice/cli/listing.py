"""Answering for machines or for people: a list as a table, what was done in lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
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


def tell(document: Mapping[str, object], *lines: str, as_json: bool) -> None:
    """Print what was done as JSON, or as `lines`; empty ones are left out."""
    if as_json:
        typer.echo(json.dumps(document, default=str, indent=2))
        return
    for line in filter(None, lines):
        typer.echo(line)
