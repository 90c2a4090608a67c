from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.reconciler.comparison import Suspicion, accepted, altered, listed, suspicion
from shared.findings import Cause
from shared.stripe_api.objects import Product
from shared.verification import Balance, Known, KnownState, Listed
from shared.vocabulary import ProductId, Size

SHIRT, OTHER = ProductId("prod_shirt"), ProductId("prod_other")
S, M = Size("S"), Size("M")


def shown(s: str | int = 10, m: str | int | None = 5, marker: str = "m4") -> Listed:
    """A shirt in two sizes as a page shows it."""
    metadata = {"sizes": "S,M", "stock_S": str(s), "stock_rev": marker}
    if m is not None:
        metadata["stock_M"] = str(m)
    kept = {key: text for key, text in metadata.items() if text}
    return listed(Product(id=SHIRT, name="Shirt", metadata=kept))


def known(*states: dict[Size, int], **changes: object) -> Known:
    """What is known of the shirt under the marker m4, the newest; states learned before the pass began."""
    units = states or ({S: 10, M: 5},)
    usual: dict[str, object] = {
        "state": "tracked",
        "owner": SHIRT,
        "rev": 4,
        "landed_before": 4,
        "states": tuple(KnownState(one, late=False) for one in units),
        "published": units[-1],
        "balances": {size: Balance(n, n, "managed") for size, n in units[-1].items()},
    }
    return Known(**{**usual, **changes})  # pyright: ignore[reportArgumentType] - named as the fields are


CASES = {
    "as it was written": (shown(), known(), None),
    "edited": (shown(30), known(), Suspicion.DIFFERENT),
    "edited back to what was known before the pass": (
        shown(10),
        known({S: 10, M: 5}, {S: 30, M: 5}),
        Suspicion.DIFFERENT,
    ),
    "an edit that was taken over since the page was read": (
        shown(10),
        known(states=(KnownState({S: 10, M: 5}, late=False), KnownState({S: 30, M: 5}, late=True))),
        None,
    ),
    "and the page that shows it": (
        shown(30),
        known(states=(KnownState({S: 10, M: 5}, late=False), KnownState({S: 30, M: 5}, late=True))),
        None,
    ),
    "a size without a field": (shown(m=None), known(), Suspicion.DIFFERENT),
    "a size that is new": (shown(), known({S: 10}), Suspicion.DIFFERENT),
    "no number": (shown("3 pcs"), known(), Suspicion.NOT_A_NUMBER),
    "no marker, though one had landed": (shown(marker=""), known(owner=None, rev=0), Suspicion.MARKER),
    "no marker, and none was ever written": (
        shown(marker=""),
        known(owner=None, rev=0, landed_before=0),
        None,
    ),
    "a marker that no write made": (shown(marker="x"), known(owner=None, rev=0), Suspicion.MARKER),
    "a marker of another product": (shown(marker="m9"), known(owner=OTHER, rev=9), Suspicion.MARKER),
    "an older marker": (shown(), known(rev=3), Suspicion.MARKER),
    "a marker that was overtaken during the pass": (shown(), known(rev=4, landed_before=4), None),
    "never seen": (shown(), Known(""), Suspicion.NEVER_SEEN),
    "never seen, and without stock": (listed(Product(id=SHIRT)), Known(""), None),
    "without stock until now": (shown(), Known("untracked"), Suspicion.NEVER_SEEN),
    "a balance that nobody sent": (
        shown(),
        known(balances={S: Balance(9, 9, "managed"), M: Balance(5, 5, "managed")}),
        Suspicion.UNWRITTEN,
    ),
    "a balance on its way": (
        shown(),
        known(balances={S: Balance(9, 9, "managed")}, at_rest=False),
        None,
    ),
    "a balance of a size that was never adopted": (
        shown(m=None),
        known({S: 10}, balances={S: Balance(10, 10, "managed"), M: Balance(2, 2, "missing", opened=False)}),
        None,
    ),
    "a size that was taken away before the newest write": (
        shown(m=None),
        known({S: 10}, balances={S: Balance(10, 10, "managed"), M: Balance(2, 2, "missing")}),
        Suspicion.SIZE_REMOVED,
    ),
    "and one that has nothing left": (
        shown(m=None),
        known({S: 10}, balances={S: Balance(10, 10, "managed"), M: Balance(0, 0, "missing")}),
        Suspicion.SIZE_REMOVED,
    ),
    "in quarantine": (
        shown(),
        known(state="quarantined", balances={S: Balance(9, 9, "managed")}),
        None,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_listed_product_is_compared_with_what_is_known_under_its_own_marker(case: str) -> None:
    """Each way in which a page can differ from what the ledger knows makes a candidate, and no other does."""
    page, books, expected = CASES[case]
    assert suspicion(page, books) is expected


def test_a_balance_that_is_not_the_sum_of_its_movements_is_a_finding_at_once() -> None:
    """The database alone shows that somebody altered the ledger, so nothing has to be looked at."""
    (found,) = altered(shown(), known(balances={S: Balance(10, 12, "managed"), M: Balance(5, 5, "managed")}))
    assert (found.cause, found.size) == (Cause.LEDGER_ALTERED, S)
    assert altered(shown(), known()) == []


def test_only_the_last_state_from_before_the_pass_counts() -> None:
    """A page can't show what had been replaced before it was asked for."""
    states = [KnownState({S: n}, late=n > 3) for n in (1, 3, 5, 7)]
    assert accepted(states) == [{S: 3}, {S: 5}, {S: 7}]


@dataclass
class Shelf:
    """One product through a run of our own sales and writes: what Stripe shows and what the database keeps, by time."""

    now: int = 0
    units: int = 50
    balance: int = 50
    rev: int = 0
    marker: str = ""
    pages: list[tuple[int, str, int]] = field(default_factory=list[tuple[int, str, int]])
    states: list[tuple[int, str, int]] = field(default_factory=lambda: [(0, "", 50)])
    landed: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    pending: tuple[int, int] | None = None

    def step(self, what: str) -> None:
        """Something of ours happens, and a page is read after it."""
        self.now += 1
        if what == "sale":
            self.balance -= 1
        elif what == "plan" and self.pending is None and self.balance != self.units:
            self.rev += 1
            self.pending = (self.rev, self.balance)
            self.states.append((self.now, f"m{self.rev}", self.balance))
        elif what == "execute" and self.pending is not None:
            self.marker, self.units = f"m{self.pending[0]}", self.pending[1]
        elif what == "answer" and self.pending is not None and self.marker == f"m{self.pending[0]}":
            self.landed.append((self.now, self.pending[0]))
            self.pending = None
        self.pages.append((self.now, self.marker, self.units))

    def known(self, marker: str, since: int) -> Known:
        """What the database answers now about a page with `marker` of a pass that began at `since`."""
        rev = int(marker[1:] or 0) if marker else 0
        newest = f"m{max((rev for _, rev in self.landed), default=0)}" if self.landed else ""
        published = [units for _, under, units in self.states if under == newest][-1]
        return Known(
            "tracked",
            SHIRT if marker else None,
            rev,
            max((rev for at, rev in self.landed if at <= since), default=0),
            tuple(
                KnownState({S: units}, late=at > since) for at, under, units in self.states if under == marker
            ),
            {S: published},
            {S: Balance(self.balance, self.balance, "managed")},
            at_rest=self.pending is None and self.balance == self.units,
        )


def test_against_the_ledger_of_now_a_page_would_be_suspected() -> None:
    """The control: what a page shows rightly is not the balance once a sale was booked after it was read."""
    shelf = Shelf()
    for what in ("sale", "plan", "execute", "answer", "sale"):
        shelf.step(what)
    _, marker, units = shelf.pages[3]
    page = listed(Product(id=SHIRT, metadata={"sizes": "S", "stock_S": str(units), "stock_rev": marker}))
    assert shelf.balance != units
    assert suspicion(page, shelf.known(marker, 0)) is None
    now = KnownState({S: shelf.balance}, late=False)
    assert suspicion(page, replace(shelf.known(marker, 0), states=(now,))) is Suspicion.DIFFERENT


@settings(deadline=None)
@given(st.lists(st.sampled_from(["sale", "plan", "execute", "answer"]), max_size=40), st.data())
def test_our_own_writes_never_make_a_candidate(steps: list[str], data: st.DataObject) -> None:
    """Whenever a page was read between sales and writes, and whenever it is compared, nothing is suspected."""
    shelf = Shelf()
    shelf.step("look")
    for what in steps:
        shelf.step(what)
    read_at, marker, units = data.draw(st.sampled_from(shelf.pages))
    since = data.draw(st.integers(0, read_at))
    page = listed(
        Product(
            id=SHIRT,
            metadata={"sizes": "S", "stock_S": str(units), **({"stock_rev": marker} if marker else {})},
        )
    )
    assert suspicion(page, shelf.known(marker, since)) is None
