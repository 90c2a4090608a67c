from __future__ import annotations

import json
from functools import partial

import pytest

from services.backoffice.operations.looks import Patience
from services.backoffice.operations.stocktaking import Author, NobodyLooks
from services.backoffice.operations.stocktaking import Shop as Counter
from services.backoffice.operations.whole_stock import importing, undoing
from services.backoffice.operations.whole_stock.sheet import Sheet
from shared.broker.embedded import EmbeddedBroker
from shared.topology import PRODUCTS
from shared.vocabulary import account_key
from tests.integration.stock_worker.whole_stock.desk import Desk
from tests.integration.stock_worker.working import working

OTHER = account_key(None, livemode=True)


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
