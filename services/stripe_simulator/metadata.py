"""Metadata: the limits, and the merge that an update is."""

from __future__ import annotations

from services.stripe_simulator import errors
from services.stripe_simulator.params import Params

MAX_KEYS = 50
MAX_KEY = 40
MAX_VALUE = 500


def merged(old: dict[str, str], params: Params) -> dict[str, str]:
    """`old` with `params["metadata"]` merged in per key; an empty value unsets, an empty group unsets all."""
    if "metadata" not in params:
        return old
    changes = params["metadata"]
    if isinstance(changes, str):
        if changes:
            raise errors.invalid("Invalid metadata: must be a hash", "metadata")
        return {}
    new = dict(old)
    for key, value in changes.items():
        _check(key, value)
        if value == "":
            new.pop(key, None)
        elif isinstance(value, str):
            new[key] = value
    if len(new) > MAX_KEYS:
        raise errors.invalid(
            f"Metadata can have up to {MAX_KEYS} keys, but you passed {len(new)}.", "metadata"
        )
    return new


def _check(key: str, value: str | Params) -> None:
    if isinstance(value, dict):
        raise errors.invalid("Metadata values must be strings.", f"metadata[{key}]")
    if not key or "[" in key or "]" in key:
        raise errors.invalid("Metadata keys must not be empty or contain square brackets.", "metadata")
    if len(key) > MAX_KEY:
        raise errors.invalid(
            f"Metadata keys can be up to {MAX_KEY} characters, but you passed one with {len(key)}.",
            "metadata",
        )
    if len(value) > MAX_VALUE:
        raise errors.invalid(
            f"Metadata values can be up to {MAX_VALUE} characters, but you passed {len(value)}.",
            f"metadata[{key}]",
        )


def previous(old: dict[str, str], new: dict[str, str]) -> dict[str, str | None]:
    """What an update changed: each changed key with its old value, None for a key that did not exist."""
    return {key: old.get(key) for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
