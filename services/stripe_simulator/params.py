"""Stripe's form encoding, `a[b][0][c]=d`, as nested dicts of text, and typed ways to read them."""

from __future__ import annotations

import re
from typing import TypeAlias
from urllib.parse import parse_qsl

from services.stripe_simulator import errors

Params: TypeAlias = "dict[str, str | Params]"

_SEGMENTS = re.compile(r"\[([^\]]*)\]")


def parse(encoded: str) -> Params:
    """The parameters in a query string or a form body; an array is a dict keyed by position."""
    params: Params = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True, max_num_fields=10_000):
        head, _, tail = name.partition("[")
        _put(params, [head, *_SEGMENTS.findall("[" + tail if tail else "")], value)
    return params


def _put(params: Params, segments: list[str], value: str) -> None:
    for segment in segments[:-1]:
        inner = params.setdefault(segment or str(len(params)), {})
        if isinstance(inner, str):
            raise errors.invalid(f"Invalid {segment}", segment)
        params = inner
    params[segments[-1] or str(len(params))] = value


def text(params: Params, name: str) -> str | None:
    """The text under `name`, None where it is absent or empty."""
    value = params.get(name)
    if isinstance(value, dict):
        raise errors.invalid(f"Invalid string: {name}", name)
    return value or None


def required(params: Params, name: str) -> str:
    """The text under `name`; 400 where it is absent."""
    value = text(params, name)
    if value is None:
        raise errors.missing_parameter(name)
    return value


def integer(params: Params, name: str) -> int | None:
    """The whole number under `name`, None where it is absent; 400 where it is something else."""
    value = text(params, name)
    if value is None:
        return None
    if not re.fullmatch(r"-?[0-9]{1,15}", value, re.ASCII):
        raise errors.invalid(f"Invalid integer: {value}", name, "parameter_invalid_integer")
    return int(value)


def flag(params: Params, name: str) -> bool | None:
    """The boolean under `name`, None where it is absent."""
    value = text(params, name)
    if value is None:
        return None
    if value.lower() not in {"true", "false", "1", "0"}:
        raise errors.invalid(f"Invalid boolean: {value}", name)
    return value.lower() in {"true", "1"}


def group(params: Params, name: str) -> Params:
    """The parameters nested under `name`, none where it is absent or empty."""
    value = params.get(name) or {}
    if isinstance(value, str):
        raise errors.invalid("Invalid object", name)
    return value


def rows(params: Params, name: str) -> list[Params]:
    """The objects of the array under `name`, in the order of their positions."""
    found: list[Params] = []
    for position, row in sorted(group(params, name).items(), key=lambda item: _position(name, item[0])):
        if isinstance(row, str):
            raise errors.invalid("Invalid object", f"{name}[{position}]")
        found.append(row)
    return found


def texts(params: Params, name: str) -> list[str]:
    """The texts of the array under `name`, in order."""
    return [value for value in group(params, name).values() if isinstance(value, str)]


def _position(name: str, position: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", position, re.ASCII):
        raise errors.invalid("Invalid array", name)
    return int(position)


def refuse_unknown(params: Params, allowed: frozenset[str]) -> None:
    """400 for a parameter that this call does not take."""
    for name in params:
        if name not in allowed:
            raise errors.invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")
