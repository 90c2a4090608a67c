from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from services.reconciler import weekly
from shared.weekly_report import Day, KindSum, ProductWeek, Sold

ENDS = datetime(2026, 5, 3, 22, tzinfo=UTC)


def test_movements_are_told_by_what_people_call_them() -> None:
    """What people edit is one column, what is none of the named kinds is a correction, most sold comes first."""
    kinds = {"sale": -7, "restock": 20, "external": -3, "overwritten": 1, "adjustment": -2, "closed": -4}
    kinds |= {"returned": 6}
    sums = [KindSum("prod_1", "Mug", kind, delta) for kind, delta in kinds.items()]
    more = [KindSum("prod_2", "Cap", "sale", -9), KindSum("prod_2", "Cap", "oversold", 2)]
    new = [KindSum("prod_3", "Bag", "opening", 5), KindSum("prod_3", "Bag", "of_the_future", 1)]
    assert weekly.by_product([*sums, *more, *new]) == [
        ProductWeek(product="prod_2", name="Cap", sold=9, oversold=2),
        ProductWeek(product="prod_1", name="Mug", sold=7, restocked=20, edited=-2, returned=6, corrected=-6),
        ProductWeek(product="prod_3", name="Bag", opened=5, corrected=1),
    ]


def sold(product: str, left: int, week: int, lately: int) -> Sold:
    """A size that was sold for four weeks."""
    return Sold(product, product, "M", left, week, lately, ENDS - timedelta(days=28))


def test_who_sells_best_and_who_runs_out() -> None:
    """Best are those of the week; soon are those that last two weeks at most and are not out yet."""
    found = weekly.sellers(
        [sold("a", 100, 9, 28), sold("b", 3, 4, 28), sold("c", 0, 5, 28), sold("d", 2, 0, 28)], ENDS
    )
    assert [one.product for one in weekly.best(found)] == ["a", "c", "b"]
    assert [(one.product, one.cover) for one in weekly.soon(found)] == [("d", 2), ("b", 3)]


def test_the_course_ends_before_what_came_since() -> None:
    """Stock at the end of each day, without what came between the last day and now."""
    days = [date(2026, 5, 1), date(2026, 5, 2)]
    found = weekly.course(days, {1: (-4, 4), 2: (5, 1), 3: (-100, 100)}, 50)
    assert found == (Day(day=days[0], stock=145, sold=4), Day(day=days[1], stock=150, sold=1))
