"""People and customers, and the stock that they intend: an oracle that never reads the ledger's numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from services.stock_worker.protocol.facts import observe
from shared.stock_metadata import MARKER_KEY, SIZES_KEY, listed_sizes, stock_key
from shared.stripe_api.objects import CheckoutSession, LineItem
from shared.vocabulary import LineItemId, ProductId, SessionId, Size, parse_units
from tests.simulation.carts import SIZES, SLANG, Line, bought, paid
from tests.simulation.memory_stripe import MemoryStripe, Shown

PLENTY: Final = 60  # units
SCARCE: Final = 4
SPOILED: Final = ("7", "1:someoneelse:3:00000000")


@dataclass(slots=True)
class People:
    """Everybody who changes stock without us."""

    stripe: MemoryStripe
    draw: Random
    intended: Counter[tuple[ProductId, Size]] = field(default_factory=Counter[tuple[ProductId, Size]])
    lines: list[Line] = field(default_factory=list[Line])
    hidden: dict[tuple[ProductId, Size], int] = field(default_factory=dict[tuple[ProductId, Size], int])
    """Sizes that somebody made unreadable or took away, and what they showed before."""
    ever_hidden: set[tuple[ProductId, Size]] = field(default_factory=set[tuple[ProductId, Size]])
    doubtful: set[ProductId] = field(default_factory=set[ProductId])
    """Products that somebody typed a marker of his own into, or copied with one: they may end in quarantine."""
    page: tuple[ProductId, dict[str, str]] | None = None
    """A Dashboard form that somebody has open."""
    told: list[str] = field(default_factory=list[str])
    accent: Random = field(default_factory=lambda: Random(0))
    """Says which sales speak slang: a draw of its own leaves everything else of a schedule as it is."""
    slang: float = 0
    """The share of lines that do."""

    def stock(self, product: ProductId, units: int) -> None:
        """A new product, both sizes stocked."""
        metadata = {SIZES_KEY: ",".join(SIZES), **{stock_key(size): str(units) for size in SIZES}}
        self.stripe.products[product] = Shown(metadata)
        self._adopt(product)

    def buy(self) -> CheckoutSession:
        """A customer pays for one or two lines."""
        number = len(self.stripe.sessions) + 1
        session, lines = SessionId(f"cs_{number}"), list[LineItem]()
        for place in range(self.draw.choice((1, 1, 1, 2))):
            product, size = self._product(), self.draw.choice(SIZES)
            units, line = self.draw.randint(1, 3), LineItemId(f"li_{number}_{place}")
            said = SLANG[size] if self.slang and self.accent.random() < self.slang else size
            lines.append(bought(line, units, said, product))
            self.lines.append(Line(session, line, product, size, units))
            self.intended[product, size] -= units
        self.stripe.sessions[session] = paid(number, lines)
        self._note(f"sold {session}: {[(li.quantity, li.metadata['size']) for li in lines]}")
        return self.stripe.sessions[session]

    def edit(self) -> None:
        """Somebody types a new number for one size."""
        product, size = self._product(), self.draw.choice(SIZES)
        shown = self._shown(product, size)
        if shown is None:
            return
        self._close_page(product)
        change = self.draw.choice((-2, 3, 7, 10))
        self._type(product, size, max(0, shown + change), shown)

    def open_page(self) -> None:
        """Somebody opens the whole form."""
        product = self._product()
        metadata = self.stripe.products[product].metadata
        readable = all(self._shown(product, size) is not None for size in SIZES)
        if metadata.get(MARKER_KEY) and readable and not self.stripe.products[product].deleted:
            self.page = (product, dict(metadata))

    def save_page(self) -> None:
        """Somebody saves the form as it was opened, with one number changed."""
        if self.page is None:
            return
        product, form = self.page
        self.page = None
        size = self.draw.choice(SIZES)
        before = parse_units(form[stock_key(size)])
        if (
            before is None
            or self.stripe.products[product].deleted
            or any(p == product for p, _ in self.hidden)
        ):
            return
        after = max(0, before + self.draw.choice((-2, 5, 9)))
        self.intended[product, size] += after - before
        form[stock_key(size)] = str(after)
        self._note(f"old form saved: {size} {before} -> {after}, {form.get(MARKER_KEY)}")
        self.stripe.edit(product, form)

    def delete_marker(self) -> None:
        """Somebody removes our key."""
        product = self._product()
        self._close_page(product)
        if self.stripe.edit(product, {MARKER_KEY: None}):
            self._note(f"{product}: marker deleted")

    def spoil_marker(self) -> None:
        """Somebody types into our key."""
        product = self._product()
        self._close_page(product)
        self._note(f"{product}: marker spoiled")
        self.doubtful.add(product)
        self.stripe.edit(product, {MARKER_KEY: self.draw.choice(SPOILED)})

    def mistype(self) -> None:
        """Somebody types what is no number."""
        product, size = self._product(), self.draw.choice(SIZES)
        shown = self._shown(product, size)
        if shown is None:
            return
        self._close_page(product)
        self._hide(product, size, shown)
        text = self.draw.choice((f"{shown} pcs", f"0{shown}", f"{shown}_0", """ ٣ """.strip()))
        self._note(f"{product} {size}: mistyped {text!r}")
        self.stripe.edit(product, {stock_key(size): text})

    def remove_size(self) -> None:
        """Somebody takes a size away: its number, perhaps its name too."""
        product, size = self._product(), self.draw.choice(SIZES)
        shown = self._shown(product, size)
        if shown is None:
            return
        self._close_page(product)
        self._hide(product, size, shown)
        metadata = self.stripe.products[product].metadata
        names = ",".join(name for name in listed_sizes(metadata) if name != size)
        # Without any size left the product would keep no stock, and its sales would be nobody's business.
        whole = bool(names) and self.draw.random() < 0.5
        self._note(f"{product} {size}: removed{' from the list too' if whole else ''}")
        self.stripe.edit(product, {stock_key(size): None, **({SIZES_KEY: names} if whole else {})})

    def mend(self) -> None:
        """Somebody brings a size back that was mistyped or taken away."""
        if not self.hidden:
            return
        product, size = self.draw.choice(sorted(self.hidden))
        before = self.hidden.pop((product, size))
        shown = self.stripe.products[product]
        if shown.deleted:
            return
        listed = listed_sizes(shown.metadata)
        now = parse_units(shown.metadata.get(stock_key(size), ""))
        if now is not None and size in listed:
            return  # one of our writes was on its way and has brought it back
        before = now if now is not None else before
        after = max(0, before + self.draw.choice((-1, 0, 4)))
        self.intended[product, size] += after - before
        names = ",".join(listed if size in listed else (*listed, size))
        self._close_page(product)
        self._note(f"{product} {size}: mended, {before} -> {after}")
        self.stripe.edit(product, {stock_key(size): str(after), SIZES_KEY: names})

    def copy(self) -> ProductId | None:
        """Somebody duplicates a product in the Dashboard, our key included."""
        source = self._product()
        if self.stripe.products[source].deleted or any(p == source for p, _ in self.hidden):
            return None
        product = ProductId(f"prod_{len(self.stripe.products) + 1}")
        self.stripe.products[product] = Shown(dict(self.stripe.products[source].metadata))
        self._adopt(product)
        self.doubtful.add(product)
        self._note(f"{source} duplicated as {product}")
        return product

    def delete(self) -> None:
        """Somebody deletes a product."""
        product = self._product()
        self._close_page(product)
        self._note(f"{product} deleted")
        self.stripe.products[product].deleted = True

    def repair(self) -> None:
        """Before rest: people mend what they spoiled."""
        while self.hidden:
            self.mend()
        for product, shown in self.stripe.products.items():
            spoiled = shown.metadata.get(MARKER_KEY) in SPOILED and not shown.deleted
            if spoiled and self.draw.random() < 0.5:
                self._note(f"{product}: spoiled marker deleted")
                self.stripe.edit(product, {MARKER_KEY: None})

    def take_over(self, product: ProductId, told: Mapping[tuple[ProductId, str], int]) -> None:
        """Somebody says that Stripe's numbers are right, after being `told` of what is not in them."""
        self._note(f"{product}: taken over")
        for size, units in observe(self.stripe.products[product].metadata).sheet.units.items():
            self.intended[product, size] = units - told[product, size]

    def _adopt(self, product: ProductId) -> None:
        for size, units in observe(self.stripe.products[product].metadata).sheet.units.items():
            self.intended[product, size] = units

    def _hide(self, product: ProductId, size: Size, shown: int) -> None:
        self.hidden[product, size] = shown
        self.ever_hidden.add((product, size))

    def _type(self, product: ProductId, size: Size, after: int, before: int) -> None:
        self.intended[product, size] += after - before
        self._note(f"{product} {size}: typed {before} -> {after}")
        self.stripe.edit(product, {stock_key(size): str(after)})

    def _product(self) -> ProductId:
        return self.draw.choice(list(self.stripe.products))

    def _shown(self, product: ProductId, size: Size) -> int | None:
        shown = self.stripe.products[product]
        return None if shown.deleted else observe(shown.metadata).sheet.units.get(size)

    def _close_page(self, product: ProductId) -> None:
        if self.page is not None and self.page[0] == product:
            self.page = None  # a form older than a person's own later edit would take that back

    def _note(self, what: str) -> None:
        self.told.append(what)
