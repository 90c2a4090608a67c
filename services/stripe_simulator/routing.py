"""Finding the row of a table of routes that answers a method and a path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

H = TypeVar("H")


class Router(Generic[H]):
    """Routes like `GET /v1/products/{id}`, looked up by the fixed parts of the path."""

    def __init__(self, routes: Mapping[str, H]) -> None:
        self._routes: dict[tuple[str, int], list[tuple[list[str], str, H]]] = {}
        for name, handler in routes.items():
            method, path = name.split(" ")
            segments = path.strip("/").split("/")
            self._routes.setdefault((method, len(segments)), []).append((segments, name, handler))

    def find(self, method: str, path: str) -> tuple[str, H, tuple[str, ...]] | None:
        """The route's name, its handler and the ids in `path`; None where no route answers."""
        parts = path.strip("/").split("/")
        for segments, name, handler in self._routes.get((method, len(parts)), []):
            pairs = list(zip(segments, parts, strict=True))
            if all(segment in {part, "{id}"} for segment, part in pairs):
                return name, handler, tuple(part for segment, part in pairs if segment == "{id}")
        return None
