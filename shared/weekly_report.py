"""The figures of a week, as the reconciler keeps them and the notifier tells them; names are as Stripe has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.stock_levels import Status


@dataclass(frozen=True, slots=True)
class KindSum:
    """What the movements of one kind made of a product's stock in the period."""

    product: str
    name: str
    kind: str
    delta: int


@dataclass(frozen=True, slots=True)
class Sold:
    """A size that was sold: units in the period and in the longer time before its end, its first movement ever."""

    product: str
    name: str
    size: str
    left: int
    sold: int
    sold_lately: int
    first: datetime


class Figures(BaseModel):
    """A part of the report."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Stock(Figures):
    """What there is, when the report is made; `low` and `out` count sizes."""

    products: int
    sizes: int
    units: int
    low: int
    out: int


class ProductWeek(Figures):
    """What a product's week was, in units; `edited` in the Dashboard, `returned` by refunds, `opened`: first seen."""

    product: str
    name: str
    sold: int = 0
    restocked: int = 0
    edited: int = 0
    returned: int = 0
    corrected: int = 0
    oversold: int = 0
    opened: int = 0

    @property
    def change(self) -> int:
        """What all of it made of the stock."""
        came = self.restocked + self.edited + self.returned + self.corrected + self.oversold + self.opened
        return came - self.sold


class Seller(Figures):
    """A size that was sold: units in the week, units left, days they last at the pace of four weeks (None: unknown)."""

    product: str
    name: str
    size: str
    sold: int
    left: int
    cover: int | None


class RanOut(Figures):
    """A size that had nothing left at a moment of the week, and what is left of it now."""

    product: str
    name: str
    size: str
    at: AwareDatetime
    left: int


class Unplaced(Figures):
    """Sold lines that wait for a person, since when the oldest does."""

    lines: int
    oldest: AwareDatetime | None


class Doubt(Figures):
    """Findings of one cause that are not resolved, since when the oldest is."""

    cause: str
    findings: int
    oldest: AwareDatetime


class Recovered(Figures):
    """Sales of the week that were missed for one reason, in words, and how late the latest of them was booked."""

    reason: str
    sales: int
    longest_seconds: int


class Reads(Figures):
    """Calls to Stripe in the month of the report, and how many it allows."""

    used: int
    allowed: int


class Day(Figures):
    """All units in stock at the end of a day, and the units sold on it."""

    day: date
    stock: int
    sold: int


class Row(Figures):
    """One size in the table that is attached; `units` None: no number."""

    product: str
    name: str
    size: str
    units: int | None
    status: Status


class WeeklyReport(Figures):
    """All of it. `more_…` count what is left out of a list."""

    schema_name: Literal["stocksync.weekly/1"] = "stocksync.weekly/1"
    begins_at: AwareDatetime
    ends_at: AwareDatetime
    zone: str
    stock: Stock
    sold: int
    orders: int
    products: tuple[ProductWeek, ...]
    more_products: int
    best: tuple[Seller, ...]
    soon: tuple[Seller, ...]
    ran_out: tuple[RanOut, ...]
    more_ran_out: int
    unplaced: Unplaced
    doubts: tuple[Doubt, ...] = ()
    recovered: tuple[Recovered, ...] = ()
    reads: Reads
    course: tuple[Day, ...]
    rows: tuple[Row, ...]
    more_rows: int
