"""JSON as the standard has it: an object in UTF-8, no NaN, no endless numbers, no bottomless nesting."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Mapping
from typing import Any, Final, NoReturn, cast

from services.ingest.outcome import Outcome, Turned


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN or Infinity")


def _real(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("number out of range")
    return number


_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant, parse_float=_real)


def parse(body: bytes) -> Mapping[str, Any]:
    """The object in `body`; raises Turned(NOT_JSON). A name given twice counts as given last.

    Integers of more digits than `int()` converts (4,300 unless Python is told otherwise) are refused, too.
    """
    try:
        value = _DECODER.decode(body.removeprefix(BOM_UTF8).decode())
    except (ValueError, RecursionError) as error:  # JSON's and Unicode's errors are ValueErrors
        raise Turned(Outcome.NOT_JSON, type(error).__name__) from None
    if not isinstance(value, dict):
        raise Turned(Outcome.NOT_JSON, type(value).__name__)
    return cast("dict[str, Any]", value)
