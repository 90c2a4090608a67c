from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.backoffice.operations.reports.products import Unclear, find
from services.backoffice.operations.reports.stock import Asked, stock, trend
from shared import clock
from shared.stock_levels import totals
from shared.store.levels import Levels
from shared.store.snapshots import SnapshotRow, Snapshots
from shared.vocabulary import MovementKind, ProductId, Size, StockStatus
from tests.integration.reports.conftest import Place
from tests.integration.reports.ledger import Entry, append, create
from tests.integration.stock_worker.shop import ACCOUNT
from tests.support.command import Command

BERLIN = ZoneInfo("Europe/Berlin")
NOW = clock.now()
DAYS = 40
SHIRT, SHIRTS, HAT = ProductId("prod_shirt"), ProductId("prod_shirts"), ProductId("prod_hat")


@pytest.fixture(scope="module")
def entries(place: Place) -> list[Entry]:
    """Some hundred movements of three products over forty days, at any time of the day."""
    chance = random.Random(7)
    create(place.shop.database, {SHIRT: "Shirt", SHIRTS: "Shirt, striped", HAT: "Hat [red]"}, ("", "M", "L"))
    first = NOW - timedelta(days=DAYS)
    variants = [(product, Size(size)) for product in (SHIRT, SHIRTS, HAT) for size in ("", "M", "L")]
    opened = [Entry(p, s, 20, MovementKind.OPENING, first + timedelta(days=4 * n)) for n, (p, s) in
              enumerate(variants)]  # fmt: skip
    later = [
        Entry(opening.product, opening.size, chance.choice([-3, -2, -1, 4]), MovementKind.SALE, at)
        for opening in opened
        for at in sorted(opening.at + (NOW - opening.at) * chance.random() for _ in range(60))
        if at < NOW
    ]
    made = sorted(
        [entry for entry in [*opened, *later] if entry.at < NOW], key=lambda entry: (entry.at, entry.kind)
    )
    append(place.shop.database, made)
    return made


def replayed(entries: list[Entry], moment: datetime) -> dict[tuple[str, str], int]:
    """The balances at a moment, by adding up everything until then."""
    balances: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        if entry.at <= moment:
            balances[entry.product, entry.size] += entry.delta
    return dict(balances)


def test_stock_at_any_moment_is_what_a_replay_gives(place: Place, entries: list[Entry]) -> None:
    """At random moments, and at the very moments of movements, the answer is the sum of all before."""
    chance = random.Random(1)
    moments = [NOW - timedelta(days=DAYS) * chance.random() for _ in range(15)]
    for moment in [*moments, entries[30].at, entries[31].at, NOW - timedelta(days=DAYS + 1), NOW]:
        for product in (None, HAT):
            found = stock(place.ledger, Asked(product, at=moment), NOW)
            expected = {
                key: units for key, units in replayed(entries, moment).items() if product in {None, key[0]}
            }
            assert {(one.product, one.size): one.units for one in found} == expected


def test_stock_now_is_what_the_ledger_says(place: Place, entries: list[Entry]) -> None:
    """Without a moment the balances of now are shown; --low leaves out what there is enough of."""
    now = replayed(entries, NOW)
    assert {(one.product, one.size): one.units for one in stock(place.ledger, Asked(), NOW)} == now
    low = stock(place.ledger, Asked(low=True), NOW)
    assert {(one.product, one.size): one.units for one in low} == {k: u for k, u in now.items() if u <= 5}


def test_the_short_list_and_the_totals_are_those_of_all(place: Place, entries: list[Entry]) -> None:
    """Totals are the sums over all sizes; of a list that is cut, what there is enough of is left out first."""
    assert entries
    with place.shop.database.transaction() as connection:
        levels = Levels(connection, ACCOUNT, 5)
        everything = levels.now()
        assert levels.totals() == totals(everything)
        assert levels.shortest(len(everything)) == everything
        short = [one for one in everything if one.status is not StockStatus.IN]
        assert 0 < len(short) < len(everything)
        assert levels.shortest(len(short)) == short
        assert len(levels.shortest(1)) == 1


def test_a_trend_has_the_balance_at_the_end_of_each_day(place: Place, entries: list[Entry]) -> None:
    """Each day's figure is what a replay gives for the day's last moment in the shop's zone."""
    found = trend(place.ledger, HAT, 50, now=NOW, zone=BERLIN)
    assert len(found.days) == 50
    assert found.days[-1] == NOW.astimezone(BERLIN).date()
    seen: list[int | None] = []
    for line in found.lines:
        for day, units in zip(found.days, line.points, strict=True):
            ends = datetime(day.year, day.month, day.day, tzinfo=BERLIN) + timedelta(days=1)
            last = ends.astimezone(UTC) - timedelta(microseconds=1)
            assert units == replayed(entries, last).get((HAT, line.size)), (line.size, day)
            seen.append(units)
    assert None in seen
    assert len(set(seen)) > 10


@pytest.mark.parametrize(
    ("wanted", "product"),
    [
        ("prod_hat", HAT),
        ("Shirt", SHIRT),
        ("shirt", SHIRT),
        ("shirt,", SHIRTS),
        ("HAT", HAT),
        ("prod_h", HAT),
    ],
)
def test_a_product_is_found(place: Place, entries: list[Entry], wanted: str, product: ProductId) -> None:
    """An id, an exact name, or a unique beginning of one, whatever the case, names a product."""
    assert entries
    assert find(place.ledger.database, ACCOUNT, wanted).id == product


@pytest.mark.parametrize(
    ("wanted", "told"),
    [("shi", "fits several"), ("%", "no product"), ("", "no product"), ("x", "no product")],
)
def test_an_unclear_product_is_told(place: Place, entries: list[Entry], wanted: str, told: str) -> None:
    """What fits several products, or none, is refused in one line; a pattern is taken literally."""
    assert entries
    with pytest.raises(Unclear, match=told):
        find(place.ledger.database, ACCOUNT, wanted)


def test_the_shop_s_zone_is_meant(command: Command, entries: list[Entry]) -> None:
    """A moment without a zone is the shop's, one with a zone is itself."""
    moment = datetime(NOW.year, NOW.month, NOW.day, 12, tzinfo=UTC) - timedelta(days=9)
    local = moment.astimezone(ZoneInfo("Asia/Tokyo")).replace(tzinfo=None).isoformat()
    expected = {f"{p}/{s}": units for (p, s), units in replayed(entries, moment).items()}
    for text in (local, moment.isoformat()):
        answer = json.loads(command("stock", "--at", text, "--json", TIME_ZONE="Asia/Tokyo").stdout)
        assert answer["at"] == moment.isoformat()
        assert {f"{row['product']}/{row['size']}": row["stock"] for row in answer["rows"]} == expected


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["stock", "--at", "yesterday"], 2, "not a moment: 'yesterday'"),
        (["stock", "--at", "2999-01-01"], 1, "in the future"),
        (["trend", "nothing like it"], 1, "no product has the id"),
    ],
)
def test_wrong_input_is_one_line(command: Command, arguments: list[str], code: int, told: str) -> None:
    """What can't be meant is one line on stderr that says why."""
    answer = command(*arguments)
    assert answer.returncode == code
    assert answer.stderr.count("\n") == 1
    assert told in answer.stderr


def test_a_trend_on_the_terminal_and_as_csv(command: Command, entries: list[Entry]) -> None:
    """People get bars and the days on which something changed, a spreadsheet every known day."""
    assert entries
    shown = command("trend", "hat").stdout
    assert shown.startswith("Hat [red] (prod_hat)\n")
    assert any(bar in shown for bar in "▂▃▄▅▆▇█")
    lines = command("trend", "hat", "--csv", "--days", "3").stdout.split("\r\n")
    assert lines[0] == "Product ID,Size,Date,Stock"
    assert len([line for line in lines if line.startswith("prod_hat,M,")]) == 3


def photographed(place: Place, at: datetime, units: dict[tuple[ProductId, str], int | None]) -> None:
    """A snapshot of that moment."""
    rows = [
        SnapshotRow(
            product,
            Size(size),
            f"Name of {product}",
            active=True,
            value="shown",
            units=number,
            status=StockStatus.OUT,
        )
        for (product, size), number in units.items()
    ]
    with place.shop.database.transaction() as connection:
        snapshots = Snapshots(connection, ACCOUNT)
        number = snapshots.begin(at, actor="ada", reason="a test")
        snapshots.add(number, rows)
        snapshots.finish(number)
        connection.execute("update snapshot set finished_at = %s where id = %s", (at, number))


def test_a_trend_goes_back_before_the_ledger_by_snapshots(
    place: Place, command: Command, entries: list[Entry]
) -> None:
    """What the ledger does not know yet is filled from the day's last snapshot; what it knows is its own."""
    assert entries
    bag = ProductId("prod_bag")
    noon = datetime.combine(NOW.astimezone(BERLIN).date(), datetime.min.time(), BERLIN) + timedelta(hours=12)
    before = noon - timedelta(days=DAYS + 5)
    photographed(place, before - timedelta(hours=3), {(HAT, "M"): 1})
    photographed(place, before, {(HAT, "M"): 70, (HAT, "L"): None, (bag, "S"): 4})
    photographed(place, noon - timedelta(days=1), {(HAT, "M"): 1234, (bag, "S"): 3})
    hat = trend(place.ledger, HAT, 50, now=NOW, zone=BERLIN)
    (medium,) = [line.points for line in hat.lines if line.size == "M"]
    (seen,) = [line.points for line in hat.snapshots if line.size == "M"]
    at = hat.days.index(before.date())
    assert (medium[at - 1], medium[at], medium[at + 1]) == (None, 70, None)
    assert medium[-2] != 1234
    assert (seen[at], seen[-2], seen[-1]) == (70, 1234, None)
    alone = trend(place.ledger, "Name of prod_bag", 50, now=NOW, zone=BERLIN)
    ((small,),) = [[line.points for line in lines] for lines in [alone.lines]]
    assert (alone.product.id, small[at], small[-2]) == (bag, 4, 3)
    shown = json.loads(command("trend", "prod_bag", "--json", "--days", "50").stdout)
    assert shown["sizes"] == shown["snapshots"]
