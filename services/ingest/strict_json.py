"""JSON as the standard has it: an object in UTF-8, no NaN, no endless numbers, no bottomless nesting."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Mapping
from typing import Any, Final, NoReturn, cast

from services.ingest.outcome import Outcome, Turned

_LONGEST_NUMBER: Final = 400  # characters; anything longer is no amount, no time and no quantity


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN or Infinity")


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("endless number")
    return int(text)


def _real(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("number out of range")
    return number


_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant, parse_int=_integer, parse_float=_real)


def parse(body: bytes) -> Mapping[str, Any]:
    """The object in `body`; raises Turned(NOT_JSON). A name given twice counts as given last."""
    try:
        value = _DECODER.decode(body.removeprefix(BOM_UTF8).decode())
    except (ValueError, RecursionError) as error:  # JSON's and Unicode's errors are ValueErrors
        raise Turned(Outcome.NOT_JSON, type(error).__name__) from None
    if not isinstance(value, dict):
        raise Turned(Outcome.NOT_JSON, type(value).__name__)
    return cast("dict[str, Any]", value)
