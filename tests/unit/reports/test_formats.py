from __future__ import annotations

import csv
import io
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.backoffice.cli.tables import sparkline, visible
from services.backoffice.operations.reports.prices import written
from shared import spreadsheet
from shared.stock_levels import Status, closing, status
from shared.stripe_api.objects import Amount

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
DANGEROUS = "=+-@\t\r\n＝＋－＠"


@given(st.sampled_from(DANGEROUS), TEXTS)
def test_no_text_begins_a_formula(first: str, rest: str) -> None:
    """Whatever begins like a formula gets an apostrophe, and loses nothing else."""
    assert spreadsheet.cell(first + rest).replace("'", "") == f"{first}{rest}".replace("'", "")
    assert spreadsheet.cell(first + rest).startswith(f"'{first}")


@given(
    TEXTS, st.sampled_from(";|\t\r\n"), st.sampled_from(["", " ", '"', ' "']), st.sampled_from("=+-@＝＋－＠")
)
def test_no_text_has_a_formula_where_a_line_is_split_at_another_separator(
    before: str, separator: str, gap: str, sign: str
) -> None:
    """Where Excel splits at a semicolon, what follows one inside a name is no formula either."""
    cell = spreadsheet.cell(f"{before}{separator}{gap}{sign}1+1")
    assert cell.endswith(f"{separator}{gap}'{sign}1+1")


def test_ordinary_names_stay_as_they_are() -> None:
    """A sign in the middle of a name is no formula, nor is a separator without one."""
    for name in ("Mug; red", "T-shirt + cap", "a@b | c", "5 - 6; 7-8"):
        assert spreadsheet.cell(name) == name


@given(st.lists(st.tuples(TEXTS, st.integers(-99, 99)), max_size=5))
def test_a_reader_gets_back_what_was_written(rows: list[tuple[str, int]]) -> None:
    """Quotes, commas and line breaks inside cells survive; lines end in CRLF; numbers stay numbers."""
    text = "".join(spreadsheet.lines(("Name", "Stock"), rows))
    read = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert read == [["Name", "Stock"], *([spreadsheet.cell(name), str(stock)] for name, stock in rows)]
    assert text.endswith("\r\n")
    for name, _ in read[1:]:
        assert name[:1] not in DANGEROUS or name == ""


@pytest.mark.parametrize(
    ("units", "threshold", "expected"),
    [
        (-2, 5, Status.OUT), (0, 5, Status.OUT), (1, 5, Status.LOW), (5, 5, Status.LOW), (6, 5, Status.ENOUGH),
        (1, 0, Status.ENOUGH), (None, 5, Status.UNREADABLE),
    ],
)  # fmt: skip
def test_a_status_follows_the_threshold(units: int | None, threshold: int, expected: Status) -> None:
    """Out at nothing, low up to the threshold, else enough."""
    assert status(units, threshold) is expected


@pytest.mark.parametrize(
    ("currency", "amount", "exact", "expected"),
    [
        ("eur", 1200, None, "12.00 EUR"),
        ("eur", 5, None, "0.05 EUR"),
        ("jpy", 1200, None, "1200 JPY"),
        ("bhd", 1200, None, "1.200 BHD"),
        ("isk", 1200, None, "12.00 ISK"),
        ("ugx", 500, None, "5.00 UGX"),
        ("usd", None, "1.25", "0.0125 USD"),
        ("usd", 100000, "100000", "1000.00 USD"),
        ("usd", None, None, ""),
    ],
)
def test_a_price_has_its_currency_s_decimals(
    currency: str, amount: int | None, exact: str | None, expected: str
) -> None:
    """Stripe counts in the smallest unit, which is the whole one in some currencies."""
    decimal = None if exact is None else Decimal(exact)
    assert written(Amount(currency=currency, unit_amount=amount, unit_amount_decimal=decimal)) == expected


def test_no_default_price_is_no_price() -> None:
    """A product without a default price has an empty cell."""
    assert written(None) == ""


def test_a_sparkline_tells_nothing_from_little() -> None:
    """Nothing left is the lowest bar, whatever is left is higher, and what nobody knew is a dot."""
    assert sparkline([None, 0, 1, 50, 100]) == "·▁▂▄█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([-3, 7]) == "▁█"


@given(st.lists(st.none() | st.integers(-5, 10**9), min_size=1, max_size=400), st.integers(1, 80))
def test_a_sparkline_is_as_wide_as_it_may_be(points: list[int | None], widest: int) -> None:
    """However many days there are, the line fits and ends with today."""
    line = sparkline(points, widest)
    assert len(line) == min(len(points), widest)
    assert (line[-1] == "·") == (points[-1] is None)


@given(st.integers(-50, 50), st.lists(st.integers(-9, 9), min_size=1, max_size=30))
def test_closing_balances_lead_to_now(now: int, deltas: list[int]) -> None:
    """Each day's balance is that of the day before and what the day changed; the last is now's."""
    balances = closing(now, deltas)
    assert balances[-1] == now
    assert [after - before for before, after in pairwise(balances)] == deltas[1:]


def test_what_a_terminal_would_obey_is_not_shown() -> None:
    """Escape sequences and line breaks in a name become spaces."""
    assert visible("a\x1b[2Jb\nc\u202ed") == "a [2Jb c d"
