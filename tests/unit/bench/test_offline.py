from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import psutil
import pytest

from bench.offline import absence, judge
from bench.offline.absence import HOURS, LEFT, SOLD_OF_FEW
from bench.offline.books import Books, Came
from bench.offline.healing import Healed, Service, services
from bench.offline.judge import Evidence
from bench.offline.mails import Mails
from bench.sync.ledger import Ledger
from bench.sync.requests_log import RequestsLog
from bench.sync.shop import Outcome
from services.notifier import preview
from shared.recovery.plan import Why
from shared.vocabulary import AlertKind, MovementKind, ProductId, Size, Variant

FEW = [Variant(ProductId(f"prod_{n}"), Size("S")) for n in range(len(LEFT))]
PLENTY = [Variant(one.product, Size("M")) for one in FEW]
AWAY = absence.plan(FEW, PLENTY, 1000, Random(1))
LATE = (timedelta(hours=1), timedelta(hours=48))
TITLES = {one: f"Product {n}, S" for n, one in enumerate(FEW)}
MAIL = """\
2 oversold, 3 out of stock, 2 low stock
=======================================

Sold more than there was
------------------------

* Product 3, S: 2 short
  1 unit in session cs_test_1
  since 24 Nov 2026, 09:05 UTC

* Product 4, S: 3 short

Out of stock
------------

* Product 2, S: 0 left
* Product 3, S: 0 left
* Product 4, S: 0 left

Low stock
---------

* Product 0, S: 3 left
* Product 1, S: 2 left

Over now
--------
* Back in stock: Product 9, S, 7 left
"""


def _right() -> Evidence:
    """All as it ought to be."""
    numbers = dict.fromkeys(FEW + PLENTY, 3)
    sold, edited = AWAY.sold, Counter(AWAY.edited)
    units = {
        MovementKind.SALE: Counter({one: -count for one, count in sold.items()}),
        MovementKind.EXTERNAL: edited,
    }
    movements = Counter({MovementKind.SALE: sold.total(), MovementKind.EXTERNAL: len(edited)})
    came = [
        Came("recovery", Why.UNDELIVERED.value, 990, *LATE),
        Came("recovery", Why.NO_EVENT.value, 10, *LATE),
    ]
    return Evidence(
        AWAY,
        sold,
        within=300,
        offline=60,
        healed=Healed(100, 110),
        outcome=Outcome(numbers, numbers, RequestsLog(())),
        ledger=Ledger(units, movements),
        books=Books(came, [], []),
        titles=TITLES,
        mails=Mails(("all of it",), (MAIL,)),
        began={"reconciler": Service(7, 60.0)},
        ended={"reconciler": Service(7, 90.0)},
    )


def _missed(found: Evidence) -> set[str]:
    return {finding.what for finding in judge.findings(found) if finding.met is False}


def test_every_sale_and_edit_of_the_absence_has_its_hour() -> None:
    """As many sales as asked for, evenly over the hours; of what there is few, so many that it runs low or out."""
    assert [sum(hour.sold.values()) for hour in AWAY.hours] == pytest.approx([1000 / HOURS] * HOURS, abs=1)
    assert (AWAY.sold.total(), AWAY.eventless) == (1000, 10)
    assert [AWAY.sold[one] for one in FEW] == [SOLD_OF_FEW] * len(FEW)
    assert AWAY.few == dict(zip(FEW, LEFT, strict=True))
    assert sum(len(hour.edits) for hour in AWAY.hours) == absence.EDITS
    assert not AWAY.edited.keys() & set(FEW)
    assert absence.plan(FEW, PLENTY, 1000, Random(1)) == AWAY


def test_what_is_as_it_ought_to_be_misses_nothing() -> None:
    """The whole table is met where all healed."""
    assert _missed(_right()) == set()


def test_a_sale_with_another_reason_than_its_own_is_found() -> None:
    """A reason that says less than is known is a miss, though the sale is booked."""
    right = _right()
    came = [
        Came("recovery", Why.UNDELIVERED.value, 990, *LATE),
        Came("recovery", Why.UNKNOWN.value, 10, *LATE),
    ]
    assert _missed(replace(right, books=replace(right.books, came=came))) == {"found by recovery, and why"}


def test_a_sale_that_a_webhook_told_of_is_not_counted_as_recovered() -> None:
    """One that came by itself is missing among those that recovery had to find."""
    right = _right()
    came = [
        Came("recovery", Why.UNDELIVERED.value, 989, *LATE),
        Came("webhook", "", 1, None, None),
        right.books.came[1],
    ]
    assert _missed(replace(right, books=replace(right.books, came=came))) == {"found by recovery, and why"}


def test_a_mail_storm_and_a_size_nobody_heard_of_are_found() -> None:
    """Eleven mails are too many, and a size that ran out in silence is told."""
    right = _right()
    silent = MAIL.replace("* Product 2, S: 0 left\n", "")
    stormy = replace(right, mails=Mails(("low stock",) * 11, (silent,)))
    assert _missed(stormy) == {"mails", "low, sold out, oversold: told"}


def test_a_size_that_nobody_had_to_hear_of_is_found() -> None:
    """A mail about a size of which there is plenty is one too many."""
    strange = MAIL.replace("* Product 0, S: 3 left\n", "* Product 0, S: 3 left\n* Product 0, M: 4 left\n")
    assert _missed(replace(_right(), mails=Mails(("all of it",), (strange,)))) == {
        "low, sold out, oversold: told"
    }


def test_a_service_that_died_is_found() -> None:
    """One that was started again has another number, and one that was not is missing."""
    right = _right()
    assert _missed(replace(right, ended={"reconciler": Service(8, 90.0)})) == {"services that died"}
    assert _missed(replace(right, ended={})) == {"services that died"}


def test_what_the_notifier_writes_is_read_again() -> None:
    """The text of a mail as the notifier makes it says each size below the heading of its kind."""
    sample = preview.mails()["every-kind"]
    told = Mails((sample.subject,), (sample.text,)).told(AlertKind.OUT_OF_STOCK, AlertKind.OVERSOLD)
    jumper = "Fisherman's jumper, M"
    assert told == {(AlertKind.OUT_OF_STOCK, jumper), (AlertKind.OVERSOLD, jumper)}


_CHILD = "import sys; kept = bytearray(120_000_000); print(flush=True); sys.stdin.read()"
_SERVICE = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_CHILD!r}])"
_UP = (
    "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1], 'services.ingest'], stdin=0)"
)


def test_the_memory_of_a_service_is_that_of_its_greediest_process() -> None:
    """What a service started counts as it, however little its main process has."""
    with subprocess.Popen(
        [sys.executable, "-c", _UP, _SERVICE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as up:
        assert up.stdout is not None
        assert up.stdout.readline() == b"\n"
        found = services(up.pid)
        (child,) = psutil.Process(up.pid).children()
        up.communicate()
    assert {name: (one.pid, one.peak > 115) for name, one in found.items()} == {"ingest": (child.pid, True)}


@pytest.mark.parametrize("healed", [Healed(None, None), Healed(100, None), Healed(301, 310)])
def test_what_did_not_heal_in_time_is_found(healed: Healed) -> None:
    """Numbers that came late or never, and a pipeline that never came to rest, are told."""
    assert _missed(replace(_right(), healed=healed)) == {"1,000 missed sales in Stripe"}


def test_late_bookings_trouble_and_memory_are_found() -> None:
    """A delay that cannot be, an open finding, a failed job and too much memory are told."""
    right = _right()
    early = [
        replace(one, shortest=timedelta(minutes=59), longest=timedelta(hours=50)) for one in right.books.came
    ]
    books = replace(right.books, came=early, findings=["sale_unknown cs_1"], failures=["recover: no"])
    assert _missed(replace(right, books=books, ended={"reconciler": Service(7, 900.0)})) == {
        "booked so late, the shortest",
        "booked so late, the longest",
        "open findings",
        "failed jobs",
        "most memory, reconciler",
    }


def test_a_lost_sale_and_a_lost_edit_are_found() -> None:
    """Movements that are missing are told, by their number and by their size."""
    right = _right()
    sales = Counter(right.ledger.units[MovementKind.SALE])
    sales[FEW[0]] += 1
    poor = Ledger({MovementKind.SALE: sales}, Counter({MovementKind.SALE: 999}))
    assert _missed(replace(right, ledger=poor)) == {
        "movements of sales",
        "sizes whose sales are in the ledger",
        "sizes whose edits are in the ledger",
    }
