"""What must hold after every step and at rest; each failure names its invariant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from services.stock_worker.protocol.facts import observe
from shared.marker import parse
from shared.stock_metadata import MARKER_KEY, stock_key
from shared.vocabulary import Movement, MovementKind, ProductId, Variant, parse_units
from shared.writes import Write, WriteState
from tests.simulation.carts import MEANT, Line
from tests.simulation.memory_stripe import Request, Shown
from tests.simulation.memory_tables import Tables, Watch
from tests.simulation.people import People


class Violation(Exception):
    """An invariant does not hold."""


@dataclass(slots=True)
class Checks(Watch):
    """Listens to the books and to Stripe; remembers what a restored database forgets."""

    ours: set[str] = field(default_factory=set[str])
    """Installation ids that are or were ours."""
    lines: dict[str, Line] = field(default_factory=dict[str, Line])
    """Paid lines by their source key."""
    planned_writes: dict[str, Write] = field(default_factory=dict[str, Write])
    over: set[str] = field(default_factory=set[str])
    """Keys of writes that have left PENDING."""

    def planned(self, write: Write, *, taken_over: bool) -> None:
        """S3 and S8: a fresh rev, and nothing in the body that was not there as a number."""
        if write.key in self.planned_writes:
            raise Violation(f"S3: {write.key} was used before")
        self.planned_writes[write.key] = write
        for name, value in write.body.items():
            if name == MARKER_KEY:
                continue
            size = next((size for size in write.base_values if stock_key(size) == name), None)
            if size is None:
                raise Violation(f"S8: {name} was no number when the write was planned")
            if parse_units(value) is None:
                raise Violation(f"S8: {name} would become {value!r}")
        base = parse(write.base_marker)
        foreign = base is None or base.installation not in self.ours
        if write.base_marker and foreign and not taken_over:
            raise Violation(f"S8: planned over the foreign marker {write.base_marker}")

    def left(self, write: Write) -> None:
        """The write must not execute any more."""
        self.over.add(write.key)

    def restored(self, tables: Tables) -> None:
        """What the backup has PENDING may execute again."""
        self.over -= {row.write.key for row in tables.writes.values() if row.state is WriteState.PENDING}

    def moved(self, movement: Movement, left: int) -> None:
        """S1: a sale is a paid line, whole. S7: what was oversold is what was missing, no unit more."""
        if movement.kind is MovementKind.OVERSOLD and (left or movement.delta <= 0):
            raise Violation(f"S7: {movement} leaves {left}")
        if movement.kind is not MovementKind.SALE:
            return
        line = self.lines.get(movement.source_key)
        if line is None or (movement.product, movement.size, -movement.delta) != (
            line.product,
            line.size,
            line.units,
        ):
            raise Violation(f"S1: {movement} is no paid line")

    def arrived(self, request: Request, shown: Shown) -> None:
        """S4: what reaches Stripe was committed before, byte for byte."""
        del shown
        write = self.planned_writes.get(request.key)
        if write is None:
            raise Violation(f"S4: no write was committed under {request.key}")
        if request.body and request.body != tuple(write.body.items()):
            raise Violation(f"S4: {request.key} sends another body than was committed")

    def changed(self, request: Request) -> None:
        """S5: a write that was settled changes nothing."""
        if request.key in self.over:
            raise Violation(f"S5: {request.key} executed after it was settled")


def told_in_time(products: Mapping[ProductId, Shown], tables: Tables, unheard: Collection[ProductId]) -> None:
    """Q2 without another look: whatever was told of is merged. Products with an `unheard` change wait for that look."""
    for product, row in tables.products.items():
        if row.state == "tracked" and product not in unheard:
            for size, units in observe(products[product].metadata).sheet.units.items():
                on_hand = tables.variants[product, size].on_hand
                if units != on_hand:
                    raise Violation(
                        f"Q2: {product}/{size} shows {units} and was told of, the ledger has {on_hand}"
                    )


def at_rest(people: People, tables: Tables, parked: int) -> None:
    """Q1 to Q4, S1 and S10 once nothing is under way any more."""
    if parked:
        raise Violation(f"S10: {parked} messages were parked")
    _sales(people, tables)
    told = told_of(tables)
    for product, shown in people.stripe.products.items():
        row = tables.products.get(product)
        if row is None:
            continue  # nothing ever happened to it
        if any(w.state is WriteState.PENDING for w in tables.writes.values() if w.write.product == product):
            raise Violation(f"Q3: a write of {product} is still pending")
        if row.state != ("closed" if shown.deleted else "tracked") or row.dirty:
            raise Violation(f"Q3: {product} is {row.state}, deleted: {shown.deleted}, dirty: {row.dirty}")
        left = {key: variant.on_hand for key, variant in tables.variants.items() if key[0] == product}
        if shown.deleted and any(left.values()):
            raise Violation(f"Q2: {product} is gone, the ledger has {left}")
        for size, units in observe({} if shown.deleted else shown.metadata).sheet.units.items():
            _size(Variant(product, size), units, tables, people.intended[product, size] + told[product, size])


def told_of(tables: Tables) -> Counter[tuple[ProductId, str]]:
    """Units that people were told of: sold but never there, or sold but held for a person."""
    told = Counter[tuple[ProductId, str]]()
    for movement in tables.movements.values():
        if movement.kind is MovementKind.OVERSOLD:
            told[movement.product, movement.size] += movement.delta
    for line in tables.held.values():
        hint = line.size_hint or ""
        told[line.product or ProductId(""), MEANT.get(hint, hint)] += line.quantity
    return told


def _sales(people: People, tables: Tables) -> None:
    sold = {f"sale:self:test:{line.session}:{line.line}": line for line in people.lines}
    booked = {key for key, m in tables.movements.items() if m.kind is MovementKind.SALE}
    held = set(tables.held)
    if booked & held or booked | held != set(sold):
        missing = set(sold) - booked - held
        raise Violation(f"S1: missing {missing}, twice {booked & held or booked - set(sold)}")
    for key in held:
        line = sold[key]
        gone = people.stripe.products[line.product].deleted or line.product in people.stripe.missed
        # What is in quarantine takes sales that name its sizes, and none on the word of an alias.
        slang = tables.held[key].size_hint in MEANT
        shut = slang and line.product in people.doubtful | people.stripe.invalid
        if (line.product, line.size) not in people.ever_hidden and not gone and not shut:
            raise Violation(f"Q4: {line} could have been placed")


def _size(variant: Variant, units: int, tables: Tables, intended: int) -> None:
    on_hand = tables.variants[variant.product, variant.size].on_hand
    if units != on_hand:
        raise Violation(f"Q2: Stripe shows {units} of {variant}, the ledger has {on_hand}")
    if units != intended:
        raise Violation(f"Q1: Stripe shows {units} of {variant}, intended are {intended}")
