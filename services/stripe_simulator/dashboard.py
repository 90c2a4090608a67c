"""What a person does at Stripe's Dashboard: edits without an idempotency key, which are intentions."""

from __future__ import annotations

from services.stripe_simulator import errors, products
from services.stripe_simulator.control_bodies import Edit
from services.stripe_simulator.params import Params
from services.stripe_simulator.world import Obj, World


def edit(world: World, identity: str, wanted: Edit) -> Obj:
    """Save a person's edit; the numbers count as differences to what the person saw."""
    product = world.get("products", identity)
    seen: dict[str, str] = product["metadata"] if wanted.form is None else wanted.form
    typed = {key: _moved(seen, key, units) for key, units in wanted.relative.items()} | wanted.absolute
    before = {key: seen.get(key, "") for key in typed}
    whole = wanted.whole_form or wanted.form is not None
    params: Params = {"metadata": {**(seen if whole else {}), **typed}}
    if wanted.name is not None:
        params["name"] = wanted.name
    if wanted.active is not None:
        params["active"] = str(wanted.active).lower()
    products.change(world, None, product, params)
    world.oracle.intended(identity, product["metadata"], before)
    return product


def _moved(seen: dict[str, str], key: str, units: int) -> str:
    shown = seen.get(key, "0")
    if not (shown.isascii() and shown.isdigit()):
        raise errors.invalid(f"{key} shows {shown!r}, which nobody can add to", "relative")
    return str(max(0, int(shown) + units))


def delete(world: World, identity: str) -> Obj:
    """Delete a product, even one that has prices."""
    return products.remove(world, None, world.get("products", identity))
