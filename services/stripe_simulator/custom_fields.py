"""Custom fields of payment links and sessions: what a shop asks its customers, such as the size."""

from __future__ import annotations

from collections.abc import Mapping

from services.stripe_simulator import errors
from services.stripe_simulator.params import Params, flag, group, integer, required, rows, text
from services.stripe_simulator.world import Obj

MAX_FIELDS = 3


def build(params: Params) -> list[Obj]:
    """The fields that `custom_fields` describes, unanswered."""
    wanted = rows(params, "custom_fields")
    if len(wanted) > MAX_FIELDS:
        raise errors.invalid(f"You may pass up to {MAX_FIELDS} custom fields.", "custom_fields")
    return [_field(row) for row in wanted]


def _field(row: Params) -> Obj:
    kind, label = required(row, "type"), group(row, "label")
    field: Obj = {
        "key": required(row, "key"),
        "label": {"type": required(label, "type"), "custom": text(label, "custom")},
        "optional": flag(row, "optional") or False,
        "type": kind,
    }
    inner = group(row, kind)
    match kind:
        case "dropdown":
            options = [
                {"label": text(option, "label"), "value": text(option, "value")}
                for option in rows(inner, "options")
            ]
            field["dropdown"] = {"default_value": None, "options": options}
        case "text" | "numeric":
            field[kind] = {
                "default_value": text(inner, "default_value"),
                "maximum_length": integer(inner, "maximum_length"),
                "minimum_length": integer(inner, "minimum_length"),
            }
        case _:
            raise errors.invalid(f"Invalid type: {kind}", "custom_fields")
    return field


def answered(fields: list[Obj], values: Mapping[str, str]) -> list[Obj]:
    """The fields of a session with what the customer chose; 400 for a choice that is not offered."""
    done: list[Obj] = []
    for field in fields:
        kind, value = field["type"], values.get(field["key"])
        offered = [option["value"] for option in field.get("dropdown", {}).get("options", [])]
        if value is not None and offered and value not in offered:
            raise errors.invalid(f"{value} is not offered by the custom field {field['key']}.")
        done.append({**field, kind: {**field[kind], "value": value}})
    return done


def size(fields: list[Obj]) -> str | None:
    """What the customer answered to the field `size`."""
    for field in fields:
        if field["key"].lower() == "size":
            answer: str | None = field[field["type"]].get("value")
            return answer
    return None
