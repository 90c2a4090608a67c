"""The stock people intend, per product and size, kept apart from every ledger.

It starts from the numbers a product is created with, loses every paid line, and moves by what a person
typed against what that person saw. A write that carries an idempotency key and a `stock_rev` is the
keeper's own and intends nothing. When a person edits a number that shows 0 after more was sold than was
there, the person's number is what counts from then on, and the difference is kept under `oversold`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from services.stripe_simulator.naming import Line, Metadata, manifest, matched, number, says, sheet, sized


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line's units come off."""

    product: str
    size: str


@dataclass(slots=True)
class SoldLine:
    """A paid line; `place` is None where nobody can say what was sold, and `reason` says why."""

    session: str
    line: str
    quantity: int
    place: Place | None
    reason: str = ""


@dataclass(slots=True)
class Oracle:
    """Intended numbers, what is shown now, and every paid line."""

    numbers: dict[Place, int] = field(default_factory=dict[Place, int])
    readable: dict[Place, int] = field(default_factory=dict[Place, int])
    sheets: dict[str, dict[str, str | None]] = field(default_factory=dict[str, dict[str, str | None]])
    sold: list[SoldLine] = field(default_factory=list[SoldLine])
    hints: dict[str, list[Place | None]] = field(default_factory=dict[str, list[Place | None]])
    oversold: defaultdict[Place, int] = field(default_factory=lambda: defaultdict[Place, int](int))

    def shown(self, product: str, metadata: Metadata) -> None:
        """Stripe shows `metadata` from now on, whoever wrote it."""
        self.sheets[product] = sheet(metadata)
        for size, text in self.sheets[product].items():
            if (value := number(text)) is not None:
                self.readable[Place(product, size)] = value

    def intended(self, product: str, metadata: Metadata, seen: Mapping[str, str]) -> None:
        """A person or a script wrote `metadata`; `seen` is what the changed keys showed before."""
        for size, text in sheet(metadata).items():
            key, place, value = f"stock_{size}" if size else "stock", Place(product, size), number(text)
            if value is None:
                continue
            if place not in self.numbers:
                self.numbers[place] = value
            elif key in seen:
                self._typed(place, value, number(seen[key]))
        self.shown(product, metadata)

    def _typed(self, place: Place, value: int, seen: int | None) -> None:
        before = self.readable.get(place, value) if seen is None else seen
        if before == 0 and self.numbers[place] < 0:
            self.oversold[place] -= self.numbers[place]
            self.numbers[place] = 0
        self.numbers[place] += value - before

    def removed(self, product: str) -> None:
        """The product is gone; what is sold of it later has no place."""
        self.sheets.pop(product, None)

    def declare(self, session: str, places: Sequence[Place | None]) -> None:
        """What the lines of `session` really are, in order; None: nobody can say. Also after it was paid."""
        self.hints[session] = list(places)
        again = [line for line in self.sold if line.session == session]
        for line, place in zip(again, places, strict=False):
            self._take(line, back=True)
            line.place, line.reason = place, "" if place else "declared"
            self._take(line)

    def paid(self, session: str, facts: Metadata, lines: Sequence[Line]) -> None:
        """Every line of `session` is paid; `facts` is its metadata and, as `size`, its custom field."""
        hints = self.hints.get(session)
        for index, line in enumerate(lines):
            if hints is not None:
                place, reason = (hints[index], "declared") if index < len(hints) else (None, "declared")
            else:
                place, reason = self._derive(line, facts, lines)
            sale = SoldLine(session, line.identity, line.quantity, place, "" if place else reason)
            self.sold.append(sale)
            self._take(sale)

    def _derive(self, line: Line, facts: Metadata, lines: Sequence[Line]) -> tuple[Place | None, str]:
        entry = matched(lines, manifest(facts)).get(line.identity)
        product = entry.product if entry else line.product
        sizes = self.sheets.get(product)
        if sizes is None:
            return None, "unknown_product"
        if not sizes:
            return None, "untracked"
        if "" in sizes:
            return Place(product, ""), ""
        stock = {"sizes": ",".join(sizes)}
        named = Line(line.identity, product, line.quantity, line.own, line.price, stock)
        alone = len(sized(lines) | {product}) == 1
        size = says(named, entry, facts.get("size") if alone else None)
        if size is None:
            return None, "no_size"
        return (Place(product, size), "") if sizes.get(size) is not None else (None, "unknown_size")

    def _take(self, line: SoldLine, *, back: bool = False) -> None:
        if line.place is not None:
            units = line.quantity if back else -line.quantity
            self.numbers[line.place] = self.numbers.get(line.place, 0) + units

    def saved(self) -> dict[str, Any]:
        """All of it as JSON values, for `restore`."""
        return {
            "numbers": _rows(self.numbers),
            "readable": _rows(self.readable),
            "oversold": _rows(self.oversold),
            "sheets": self.sheets,
            "sold": [asdict(line) for line in self.sold],
            "hints": {
                session: [place and asdict(place) for place in places]
                for session, places in self.hints.items()
            },
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Know what was `saved`, and nothing else."""
        self.clear()
        for name in ("numbers", "readable", "oversold"):
            getattr(self, name).update({Place(product, size): units for product, size, units in saved[name]})
        self.sheets.update(saved["sheets"])
        self.sold += [_sold(line) for line in saved["sold"]]
        self.hints.update({session: list(map(_place, places)) for session, places in saved["hints"].items()})

    def clear(self) -> None:
        """Forget everything."""
        for kept in (self.numbers, self.readable, self.sheets, self.sold, self.hints, self.oversold):
            kept.clear()

    def report(self) -> dict[str, Any]:
        """Intended numbers by product and size, what people oversold, and the lines without a place."""
        stock: dict[str, dict[str, int]] = {}
        for product, sizes in self.sheets.items():
            known = {size: Place(product, size) for size, text in sizes.items() if text is not None}
            numbers = {size: self.numbers[place] for size, place in known.items() if place in self.numbers}
            if numbers:
                stock[product] = numbers
        unreadable = {
            product: texts
            for product, sizes in self.sheets.items()
            if (texts := {size: text for size, text in sizes.items() if number(text) is None})
        }
        return {
            "stock": stock,
            "unreadable": unreadable,
            "oversold": [{**asdict(place), "units": units} for place, units in self.oversold.items()],
            "sold": [asdict(line) for line in self.sold if line.place],
            "unplaced": [asdict(line) for line in self.sold if not line.place],
        }


def _rows(numbers: Mapping[Place, int]) -> list[list[str | int]]:
    return [[place.product, place.size, units] for place, units in numbers.items()]


def _sold(saved: dict[str, Any]) -> SoldLine:
    told: dict[str, Any] = {**saved, "place": _place(saved["place"])}
    return SoldLine(**told)


def _place(saved: dict[str, str] | None) -> Place | None:
    return Place(**saved) if saved else None
