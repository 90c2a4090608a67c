"""`expand[]`: ids in an answer replaced by what they name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from services.stripe_simulator import errors, lines
from services.stripe_simulator.world import Obj, World

MAX_DEPTH = 4
HAS_LINES = ("checkout.session", "payment_link")


def expanded(world: World, answer: Obj, paths: Iterable[str]) -> Obj:
    """A copy of `answer` in which every path of `paths`, `data.price.product`, is expanded."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > MAX_DEPTH:
            raise errors.invalid(f"You cannot expand more than {MAX_DEPTH} levels of a property.", "expand")
        answer = _follow(world, answer, steps, path)
    return answer


def _follow(world: World, thing: Obj, steps: list[str], path: str) -> Obj:
    if not steps or thing.get("deleted"):
        return thing
    head, *rest = steps
    copy = dict(thing)
    if head == "line_items" and thing.get("object") in HAS_LINES:
        copy.setdefault(head, lines.page(world, thing["id"], {}))
    elif head not in thing:
        raise errors.invalid(f"This property cannot be expanded ({path}).", "expand")
    copy[head] = _value(world, copy[head], rest, path)
    return copy


def _value(world: World, value: object, rest: list[str], path: str) -> object:
    match value:
        case str():
            found = world.find(value)
            if found is None:
                raise errors.invalid(f"This property cannot be expanded ({path}).", "expand")
            return _follow(world, found, rest, path)
        case dict():
            return _follow(world, cast("Obj", value), rest, path)
        case list():
            return [_value(world, item, rest, path) for item in cast("list[Any]", value)]
        case _:
            return value
