from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from services.backoffice.operations.looks import Patience
from services.backoffice.operations.stocktaking import Author, NobodyLooks
from services.backoffice.operations.stocktaking import Shop as Counter
from services.backoffice.operations.whole_stock import importing, new_sizes, sheet, undoing
from services.backoffice.operations.whole_stock.sheet import Sheet
from shared.broker.embedded import EmbeddedBroker
from shared.stripe_api.client import StripeApi
from shared.topology import PRODUCTS
from shared.vocabulary import ProductId, account_key
from tests.integration.stock_worker.conftest import KEY
from tests.integration.stock_worker.shop import ACCOUNT, LONG_AGO, Shop
from tests.integration.stock_worker.working import working
from tests.support.command import Command, Ended, stocksync

OTHER = account_key(None, livemode=True)
HEAD = "Product ID,Product Name,Size,Stock,Status\r\n"


@dataclass(frozen=True, slots=True)
class Desk:
    """A shop with a mug (9 left) and a shirt (M 4, L 6), its command line, and a file to import."""

    shop: Shop
    mug: ProductId
    shirt: ProductId
    run: Command
    file: Path
    counter: Counter

    def write(self, *rows: tuple[str, str, str | int]) -> None:
        """Rows of (product, size, stock) become the file."""
        self.file.write_text(HEAD + "".join(f"{p},,{size},{stock},\r\n" for p, size, stock in rows))

    def sheet(self, *rows: tuple[str, str, str | int]) -> Sheet:
        """The same, read."""
        self.write(*rows)
        return sheet.read(self.file.read_bytes())

    def imported(self, *options: str, file: Path | None = None) -> Ended:
        """`stocksync import FILE --apply`, with a stock worker beside it; what follows from it is synced."""
        command = partial(self.run, "import", str(file or self.file), "--apply", *options)
        done = working(self.shop, [self.mug, self.shirt], command)
        self.sync()
        return done

    def sync(self) -> None:
        """The stock worker does what there is to do."""
        for product in (self.mug, self.shirt):
            self.shop.sync(product)

    def stock(self) -> tuple[dict[str, str], dict[str, str]]:
        """What Stripe shows of the mug and of the shirt."""
        return self.shop.stock(self.mug), self.shop.stock(self.shirt)

    def people(self) -> list[tuple[str, str, int, str, str]]:
        """(product, size, delta, reason, actor) of all movements of people, in order."""
        with self.shop.database.transaction() as connection:
            rows = connection.execute(
                "select product_id, size, delta, reason, actor from movement where actor <> 'stripe' order by id"
            )
            return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


@pytest.fixture
def command(database_url: str, shop: Shop) -> Command:
    """Runs `stocksync` on the test's database and shop."""
    where = {"DATABASE_URL": database_url, "STRIPE_API_KEY": KEY, "STRIPE_API_BASE": shop.url}
    return partial(stocksync, **where, COLUMNS="200")


@pytest.fixture
def counter(shop: Shop, queue: EmbeddedBroker) -> Counter:
    """The same, as its back office sees it."""
    return Counter(shop.database, queue, ACCOUNT)


@pytest.fixture
def desk(shop: Shop, mug: ProductId, counter: Counter, command: Command) -> Iterator[Desk]:
    """The shop, opened."""
    shirt = shop.product(sizes="M,L", stock_M="4", stock_L="6")
    shop.sync(shirt)
    with tempfile.TemporaryDirectory() as folder:
        yield Desk(shop, mug, shirt, command, Path(folder, "stock.csv"), counter)


def test_a_dry_run_shows_the_differences_and_changes_nothing(desk: Desk, queue: EmbeddedBroker) -> None:
    """Without --apply people see what would change, nobody is asked for anything, and no worker is needed."""
    desk.write((desk.mug, "", 12), (desk.shirt, "M", 1), (desk.shirt, "L", 6))
    done = desk.run("import", str(desk.file))
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[1:3] == [["Shirt", "9", "12", "+3"], ["Shirt", "M", "4", "1", "-3"]]
    assert "Sizes: 2 to change, 1 as they were." in done.stdout
    assert "Nothing was changed; --apply does it." in done.stdout
    shown = json.loads(desk.run("import", str(desk.file), "--json").stdout)
    assert (shown["applied"], shown["unchanged"], shown["problems"]) == (False, 1, [])
    assert shown["changes"][1] == {
        "product": desk.shirt,
        "name": "Shirt",
        "size": "M",
        "before": 4,
        "after": 1,
        "difference": -3,
    }
    assert (desk.people(), queue.depth(PRODUCTS).ready) == ([], 0)


def test_an_import_is_applied_and_taken_back_once(desk: Desk) -> None:
    """All that differs is a movement of one batch; --undo takes all of it back, and only once."""
    desk.write((desk.mug, "", 12), (desk.shirt, "M", 1), (desk.shirt, "L", 6))
    done = json.loads(desk.imported("--json").stdout)
    assert desk.stock() == ({"": "12"}, {"M": "1", "L": "6"})
    actor = desk.people()[0][4]
    assert [change[:4] for change in desk.people()] == [
        (desk.mug, "", 3, "import stock.csv"),
        (desk.shirt, "M", -3, "import stock.csv"),
    ]
    newest = json.loads(desk.run("movements", desk.shirt, "M", "--json").stdout)[0]
    assert (newest["batch"], newest["actor"]) == (done["batch"], actor)
    assert f"(batch {done['batch']})" in desk.run("movements").stdout
    desk.shop.book(desk.shop.sold(desk.shop.line(desk.mug, "", 2)))
    undone = desk.run("import", "--undo", done["batch"])
    assert (undone.returncode, undone.stderr) == (0, "")
    assert "Sizes taken back: 2." in undone.stdout
    desk.sync()
    assert desk.stock() == ({"": "7"}, {"M": "4", "L": "6"})
    again = desk.run("import", "--undo", done["batch"])
    assert again.returncode == 1
    assert f"{done['batch']} was taken back before, by {actor}" in again.stderr
    assert len(desk.people()) == 4


def test_an_import_that_can_not_be_taken_back_is_left_as_it_is(desk: Desk) -> None:
    """What was sold since is not there to be taken away: every such size is named, and none is changed."""
    desk.write((desk.mug, "", 12), (desk.shirt, "M", 10), (desk.shirt, "L", 5))
    batch = json.loads(desk.imported("--json").stdout)["batch"]
    desk.shop.book(desk.shop.sold(desk.shop.line(desk.mug, "", 11), desk.shop.line(desk.shirt, "M", 8)))
    done = desk.run("import", "--undo", batch)
    assert done.returncode == 1
    assert f"there are only 1 of Shirt ({desk.mug}) left, and the import added 3" in done.stderr
    assert "size M left, and the import added 6" in done.stderr
    assert len(desk.people()) == 3
    assert "no import is called 'abc'" in desk.run("import", "--undo", "abc").stderr


def test_nothing_is_changed_while_one_row_is_wrong(desk: Desk) -> None:
    """Every problem is a line with its place in the file; the rows that are right wait for the others."""
    desk.shop.dashboard(desk.shirt, stock_L="six")
    desk.shop.touch(desk.shirt)
    desk.sync()
    desk.write(
        (desk.mug, "", 12),
        ("prod_none", "", 1),
        (desk.shirt, "XL", 2),
        (desk.shirt, "L", 2),
        (desk.shirt, "M", -1),
    )
    for options in ((), ("--apply",)):
        done = desk.run("import", str(desk.file), *options)
        assert (done.returncode, done.stdout) == (1, "")
        assert [line.partition(":")[2].partition(":")[0] for line in done.stderr.splitlines()] == [
            " stock.csv, line 3",
            " stock.csv, line 4",
            " stock.csv, line 5",
            " stock.csv, line 6",
            " nothing was changed; problems",
        ]
    shown = desk.run("import", str(desk.file), "--json")
    assert shown.returncode == 1
    assert [problem["line"] for problem in json.loads(shown.stdout)["problems"]] == [3, 4, 5, 6]
    assert desk.people() == []


@pytest.mark.parametrize(
    "arguments",
    [["import"], ["import", "no.csv"], ["import", "/", "--apply"], ["import", "--undo", "x", "--apply"]],
    ids=["nothing", "no file", "a folder", "both"],
)
def test_what_can_not_be_meant_ends_with_2(desk: Desk, arguments: list[str]) -> None:
    """A call that names no file, or two things at once, is one complaint."""
    done = desk.run(*arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


def test_a_product_that_can_no_longer_be_changed_stops_all_of_it(desk: Desk) -> None:
    """What the look finds counts: a quarantine that nobody knew of at the beginning, and nothing is booked."""
    desk.write((desk.mug, "", 12), (desk.shirt, "M", 1))
    desk.shop.dashboard(desk.shirt, stock_rev="garbage")
    done = desk.imported()
    assert done.returncode == 1
    assert f"line 3: Shirt ({desk.shirt}) is in quarantine" in done.stderr
    assert desk.people() == []


def test_without_a_worker_nothing_is_imported(desk: Desk) -> None:
    """Nobody looks in time: the numbers would not mean what was counted."""
    table = desk.sheet((desk.mug, "", 12), (desk.shirt, "M", 1))
    with pytest.raises(NobodyLooks, match="has looked at 2 of 2 products"):
        importing.apply(desk.counter, table, Author("eve"), create_sizes=False, patience=Patience(0.5, 0))
    assert desk.people() == []


def applied(desk: Desk, table: Sheet, batch: str) -> importing.Done:
    """The table is applied under this batch."""
    work = partial(importing.apply, desk.counter, table, Author("eve", order=batch), create_sizes=False)
    return working(desk.shop, [desk.mug, desk.shirt], work)


def test_a_batch_that_comes_twice_counts_once(desk: Desk) -> None:
    """Whoever was killed after the commit, and gives the same order again, changes nothing more."""
    table = desk.sheet((desk.mug, "", 12), (desk.shirt, "M", 1))
    assert len(applied(desk, table, "feed5").found.changes) == 2
    desk.shop.book(desk.shop.sold(desk.shop.line(desk.mug, "", 1)))
    assert applied(desk, table, "feed5").found.changes == ()
    desk.sync()
    assert (len(desk.people()), desk.stock()[0]) == (2, {"": "11"})
    assert len(applied(desk, table, "feed6").found.changes) == 1, "another batch is another count"


def test_a_killed_import_leaves_all_or_nothing(desk: Desk) -> None:
    """Where the last row can't be booked, the ones before it are not booked either."""
    table = desk.sheet((desk.mug, "", 12), (desk.shirt, "M", 1), (desk.shirt, "L", 0))
    with desk.shop.database.transaction() as connection:
        connection.execute(
            "alter table movement add constraint broken check (size <> 'M' or kind <> 'adjustment')"
        )
    with pytest.raises(Exception, match="broken"):
        applied(desk, table, "feed7")
    assert desk.people() == []
    with desk.shop.database.transaction() as connection:
        connection.execute("alter table movement drop constraint broken")
    applied(desk, table, "feed7")
    assert len(desk.people()) == 3


def test_a_sale_between_dry_run_and_apply_is_not_lost(desk: Desk) -> None:
    """It is booked as a sale, and what somebody counted afterwards is what is there; a later one comes off."""
    desk.write((desk.mug, "", 12), (desk.shirt, "M", 4))
    assert '"difference": 3' in desk.run("import", str(desk.file), "--json").stdout
    desk.shop.book(desk.shop.sold(desk.shop.line(desk.mug, "", 2)))
    late = desk.shop.sold(desk.shop.line(desk.mug, "", 1))
    assert desk.imported().returncode == 0
    assert [delta for *_, delta, _, _ in desk.people()] == [5]
    desk.shop.book(late)
    assert desk.stock()[0] == {"": "11"}
    assert [delta for kind, _, delta in desk.shop.movements(desk.mug) if kind == "sale"] == [-1, -2, -1]


def test_an_edit_in_the_dashboard_before_is_counted_once(desk: Desk) -> None:
    """Who typed 12 and imports 12 has 12: the edit is taken in before the difference is made."""
    desk.shop.dashboard(desk.mug, stock="12")
    desk.write((desk.mug, "", 12), (desk.shirt, "M", 4))
    done = desk.imported()
    assert "Sizes: 0 changed, 2 as they were." in done.stdout
    assert (desk.people(), desk.stock()[0]) == ([], {"": "12"})
    assert ("external", "", 3) in desk.shop.movements(desk.mug)


EVIL = ('=1+1,"big"\r\nnext', "Mug; =red", "'=quoted")


def test_an_export_is_imported_as_it_is_and_edited(desk: Desk) -> None:
    """Commas, quotes, line breaks and formulas in names, odd sizes and none at all: the table comes back as it was."""
    odd = ("=S", "a b", "X'L", "ü", "+1;-2", "08")
    stocks = {f"stock_{size}": str(n) for n, size in enumerate(odd)}
    shirt = desk.shop.product(sizes=",".join(odd), **stocks)
    products = [shirt, desk.shop.product(stock="7"), desk.shop.product(sizes="M", stock_M="3 pcs")]
    for product, name in zip(products, EVIL, strict=True):
        desk.shop.stripe.v1.products.update(product, {"name": name})
        desk.shop.sync(product)
    exported = desk.run("report", "--format", "csv").output
    desk.file.write_bytes(exported)
    same = json.loads(desk.run("import", str(desk.file), "--json").stdout)
    assert (same["changes"], same["unchanged"], same["left_alone"], same["problems"]) == ([], 10, 1, [])
    table = list(csv.reader(io.StringIO(exported.decode(), newline="")))
    edited = [[*row[:3], str(int(row[3]) + 5), row[4]] if row[3].isdigit() else row for row in table]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows(edited)
    desk.file.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    command = partial(desk.run, "import", str(desk.file), "--apply")
    done = working(desk.shop, [desk.mug, desk.shirt, *products], command)
    assert (done.returncode, done.stderr) == (0, "")
    for product in products:
        desk.shop.sync(product)
    assert desk.shop.stock(shirt) == {size: str(n + 5) for n, size in enumerate(odd)}
    assert desk.shop.stock(products[2]) == {"M": "3 pcs"}


def test_sizes_are_created_where_that_is_wanted(desk: Desk) -> None:
    """They are an edit like a person's, without marker or a number that is there, and the worker adopts them."""
    desk.write((desk.shirt, "M", 5), (desk.shirt, "XL", 7), (desk.shirt, "S", 0))
    refused = desk.run("import", str(desk.file), "--apply")
    assert refused.stderr.count("stocksync import --create-sizes creates it") == 2
    shown = json.loads(desk.run("import", str(desk.file), "--create-sizes", "--json").stdout)
    assert [(one["size"], one["units"]) for one in shown["create"]] == [("XL", 7), ("S", 0)]
    assert desk.shop.metadata(desk.shirt)["sizes"] == "M,L"
    sent = watched(desk)
    done = desk.imported("--create-sizes")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Shirt ({desk.shirt}), size XL was created in Stripe with 7" in done.stdout
    assert sent() == [{"sizes": "M,L,XL,S", "stock_XL": "7", "stock_S": "0"}]
    assert desk.stock()[1] == {"M": "5", "L": "6", "XL": "7", "S": "0"}
    assert ("opening", "XL", 7) in desk.shop.movements(desk.shirt)
    assert json.loads(desk.run("import", str(desk.file), "--create-sizes", "--json").stdout)["unchanged"] == 3


def watched(desk: Desk) -> Callable[[], list[dict[str, str]]]:
    """What people's edits have sent since: the keys of each that no write of ours has touched, from Stripe's events."""

    def sent() -> list[dict[str, str]]:
        updates = desk.shop.deps.stripe.product_updates(desk.shirt, LONG_AGO)
        return [
            {key: update.metadata[key] for key in update.previous_metadata}
            for update in updates
            if update.idempotency_key and update.idempotency_key.startswith("stocksync-import:")
        ]

    return sent


def test_a_size_that_stripe_does_not_take_is_reported_after_the_rest(desk: Desk) -> None:
    """The counts are committed by then; what failed is named, and the next import does the rest."""
    desk.write((desk.shirt, "M", 5), (desk.shirt, "XL", 7))
    table = sheet.read(desk.file.read_bytes())
    work = partial(importing.apply, desk.counter, table, Author("eve"), create_sizes=True)
    done = working(desk.shop, [desk.shirt], work)
    desk.sync()
    desk.shop.fault("error_before", path="^/v1/products/", method="POST")
    created = new_sizes.create(desk.counter, StripeApi(KEY, desk.shop.url), done.found.new_sizes, done.batch)
    assert ["may have done it" in one.why for one in created] == [True]
    desk.sync()
    assert desk.stock()[1]["M"] == "5"
    again = desk.imported("--create-sizes")
    assert again.returncode == 0, again.stderr
    assert desk.stock()[1] == {"M": "5", "L": "6", "XL": "7"}
    there = new_sizes.create(desk.counter, StripeApi(KEY, desk.shop.url), done.found.new_sizes, "later")
    assert [one.why for one in there] == ["Stripe shows XL by now"]


def test_a_batch_is_found_by_an_index(desk: Desk) -> None:
    """Taking back costs what the batch holds, not what the ledger holds."""
    with desk.shop.database.transaction() as connection:
        connection.execute("set local enable_seqscan = off")
        rows = connection.execute(
            """
            explain select id from movement
            where starts_with(source_key, 'import:') and split_part(source_key, ':', 2) = 'abc'
            """
        ).fetchall()
    assert "movement_batch" in "\n".join(row[0] for row in rows)


def test_another_accounts_batch_is_not_there(desk: Desk) -> None:
    """A batch of test mode can't be taken back in live mode."""
    applied(desk, desk.sheet((desk.mug, "", 12)), "feed8")
    other = Counter(desk.shop.database, desk.counter.broker, OTHER)
    with pytest.raises(Exception, match="no import is called 'feed8'"):
        undoing.undo(other, "feed8", Author("eve"))
    assert isinstance(undoing.undo(desk.counter, "feed8", Author("eve")), undoing.Undone)
