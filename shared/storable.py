"""What PostgreSQL can hold of the texts that others write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.alerts import JSON


def storable_text(text: str) -> str:
    """`text` without what PostgreSQL cannot hold: NUL and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def storable(value: JSON) -> JSON:
    """`value` with only such texts in it."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, Mapping):
        return {storable_text(key): storable(inner) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [storable(inner) for inner in value]
    return value
