from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared import clock
from shared.vocabulary import AlertKind, ProductId
from tests.integration.backoffice.web.inbox_site import Site, served
from tests.support.postgres import fresh_database

EVIL = "<script>alert(1)</script>"
SHOWN = "&lt;script&gt;alert(1)&lt;/script&gt;"


@pytest.fixture(scope="module")
def site(postgres: str) -> Iterator[Site]:
    """The pages, for all tests of this module."""
    with fresh_database(postgres) as database_url, served(database_url) as made:
        yield made


def test_a_line_is_placed_on_the_size_that_was_chosen(site: Site) -> None:
    """The page offers the sizes of the product that the sale names; the one chosen is sold, by whom and why."""
    shirt = site.product("Shirt", "M", "L")
    number, session = site.held(shirt, "medium")
    page = site.operator.see(f"/unplaced/{number}")
    assert re.findall(r'name="size" value="(\w)"', page) == ["L", "M"]
    assert "medium" in page
    told = site.operator.done(f"/unplaced/{number}/place", product=shirt, size="M", reason="asked her")
    assert f"Shirt ({shirt}), size M: 10 → 8, sold in {session}." in told
    assert site.movements(shirt) == [("sale", "M", -2, session, "anna", "asked her")]
    assert site.one("select state, resolved_by from unplaced_sale where id = %s", number) == (
        "placed",
        "anna",
    )
    assert site.open_alerts(f"{session}/li_1") == 0
    assert f'href="/unplaced/{number}"' not in site.operator.see("/unplaced")
    assert "placed by anna" in site.operator.see("/unplaced?show=all")


def test_placing_may_teach_what_such_lines_are(site: Site) -> None:
    """With the box ticked an alias is kept, and the notice says how many of those that wait say the same."""
    shirt = site.product("Taught shirt", "M", "L")
    number, _ = site.held(shirt, "mid")
    site.held(shirt, "mid")
    assert 'name="always"' in site.operator.see(f"/unplaced/{number}")
    told = site.operator.done(f"/unplaced/{number}/place", product=shirt, size="M", reason="", always="yes")
    assert "is placed by itself" in told
    assert "1 of those that wait say the same" in told
    assert site.one("select told_size, size, by from alias where product_id = %s", shirt) == (
        "mid",
        "M",
        "anna",
    )


def test_products_are_found_by_searching_with_and_without_scripts(site: Site) -> None:
    """A search lists what matches, one of them shows its sizes; a script is given that part of the page alone."""
    scarf = site.product("Woollen scarf", "long", "short")
    number, _ = site.held(None)
    for part in (False, True):
        found = site.operator.see(f"/unplaced/{number}?q=woollen", part=part)
        assert f"/unplaced/{number}?product={scarf}" in found
        sizes = site.operator.see(f"/unplaced/{number}?product={scarf}", part=part)
        assert re.findall(r'name="size" value="(\w+)"', sizes) == ["long", "short"]
        assert ("<!doctype html>" in found) is not part
    assert "No product that keeps stock" in site.operator.see(f"/unplaced/{number}?q=nobodysells")


def test_a_product_without_sizes_needs_none_typed(site: Site) -> None:
    """Typed by hand, the only size there is is meant; where there are several, the problem names them."""
    mug, socks = site.product("Mug of tin"), site.product("Socks", "S", "M")
    number, session = site.held(None)
    problem = site.operator.refused(f"/unplaced/{number}/place", product="Socks", typed="", reason="")
    assert "Say which size of Socks" in problem
    assert "M, S" in problem
    assert "has no size" in site.operator.refused(f"/unplaced/{number}/place", product="Socks", typed="XXL")
    assert (
        "no product has the id"
        in site.operator.refused(f"/unplaced/{number}/place", product="Nosuch").lower()
    )
    assert "which product" in site.operator.refused(f"/unplaced/{number}/place", product="  ")
    assert site.movements(socks) == []
    assert site.one("select state from unplaced_sale where id = %s", number) == ("open",)
    site.operator.done(f"/unplaced/{number}/place", product="Mug of t", typed="")
    assert site.movements(mug) == [("sale", "", -2, session, "anna", "")]


def test_a_line_that_takes_no_stock_is_dismissed_once(site: Site) -> None:
    """It is over with its alert and moves nothing; who comes second hears who was first."""
    shirt = site.product("Gift card", "10", "20")
    number, session = site.held(shirt)
    assert session in site.operator.done(f"/unplaced/{number}/dismiss")
    assert site.one("select state, resolved_by from unplaced_sale where id = %s", number) == (
        "dismissed",
        "anna",
    )
    assert site.open_alerts(f"{session}/li_1") == 0
    late = site.operator.refused(f"/unplaced/{number}/place", product=shirt, size="10")
    assert "was dismissed by anna already" in late
    assert site.movements(shirt) == []
    assert "/place" not in site.operator.see(f"/unplaced/{number}")


def test_a_problem_of_a_form_comes_beside_it(site: Site) -> None:
    """A script is answered with the problem alone, and with the next page where there is none."""
    number, _ = site.held(site.product("Cap", "S", "M"))
    guest, path = site.operator, f"{site.operator.origin}/unplaced/{number}/place"
    headers = {"Origin": guest.origin, "HX-Request": "true"}
    fields = {"csrf": guest.csrf, "product": "Cap", "typed": ""}
    wrong = guest.session.post(path, fields, headers=headers, timeout=30)
    assert (wrong.status_code, wrong.text.startswith('<p class="problem"')) == (422, True)
    right = guest.session.post(path, {**fields, "size": "M"}, headers=headers, timeout=30)
    assert (right.status_code, right.headers["HX-Redirect"]) == (200, "/unplaced")


def test_a_finding_is_acknowledged_and_then_resolved(site: Site) -> None:
    """It says what happened and what to do; each step is kept with who took it, and the alert ends with the last."""
    number = site.finding(site.product("Mug"))
    page = site.operator.see("/findings")
    for words in (
        "not a plain whole number",
        "it shows “3 pcs”",
        "Type a plain number",
        "stocksync jobs run verify",
    ):
        assert words in page
    site.operator.done(f"/findings/{number}/acknowledge")
    state = "select state, acknowledged_by, resolved_by, resolution from finding where id = %s"
    assert site.one(state, number) == ("acknowledged", "anna", "", "")
    assert site.open_alerts("self:test") == 0
    assert f"finding-{number}" not in site.operator.see("/findings")
    page = site.operator.see("/findings?show=acknowledged")
    assert "acknowledged by anna" in page
    assert f"/findings/{number}/acknowledge" not in page
    site.operator.done(f"/findings/{number}/resolve", how="typed 3")
    assert site.one(state, number) == ("resolved", "anna", "anna", "typed 3")
    assert "by anna: typed 3" in site.operator.see("/findings?show=resolved")


def test_a_finding_is_not_resolved_without_saying_how(site: Site) -> None:
    """An empty text, a finding that is over and one that never was change nothing, and the problem says so."""
    number = site.finding(site.product("Bowl"))
    assert "what was done" in site.operator.refused(f"/findings/{number}/resolve", how="  ")
    assert site.one("select state from finding where id = %s", number) == ("open",)
    site.operator.done(f"/findings/{number}/resolve", how="put it back")
    assert "was over before" in site.operator.refused(f"/findings/{number}/acknowledge")
    assert "no such finding" in site.operator.refused(f"/findings/{2**62}/resolve", how="so").lower()
    assert site.one("select resolution from finding where id = %s", number) == ("put it back",)


def test_an_alert_is_snoozed_and_acknowledged(site: Site) -> None:
    """It waits for the length that was chosen or typed, and is told no more once somebody sees to it."""
    hat = site.product("Hat", "M")
    number = site.alert(
        AlertKind.LOW_STOCK, f"{hat}/M", product=hat, name="Hat", size="M", on_hand=3, threshold=5
    )
    page = site.operator.see("/alerts")
    assert f'<a href="/products/{hat}">Hat ({hat}/M)</a>' in page
    assert "3 left then; the threshold is 5" in page
    until = "select snoozed_until, acknowledged_by from alert where id = %s"
    for fields, length in (({"own": "", "length": "1w"}, 7 * 24), ({"own": "3h", "length": "1w"}, 3)):
        assert "if it still lasts" in site.operator.done(f"/alerts/{number}/snooze", **fields)
        left = site.one(until, number)[0] - clock.now()
        assert timedelta(hours=length, minutes=-2) < left <= timedelta(hours=length)
    assert "snoozed until" in site.operator.see("/alerts")
    site.operator.done(f"/alerts/{number}/acknowledge")
    assert site.one(until, number) == (None, "anna")
    assert "acknowledged by anna" in site.operator.see("/alerts")


def test_an_alert_does_not_wait_for_a_length_that_is_none(site: Site) -> None:
    """What is no length of time, and an alert that is over, is a problem in words."""
    number = site.alert(AlertKind.JOB_FAILED, "recover", job="recover", reason="Stripe was away")
    assert "Stripe was away." in site.operator.see("/alerts")
    for wrong in ("soon", "400d", "-1h"):
        assert "90m, 3h, 2d or 1w" in site.operator.refused(f"/alerts/{number}/snooze", own=wrong)
    assert "90m, 3h, 2d or 1w" in site.operator.refused(f"/alerts/{number}/snooze")
    assert site.one("select snoozed_until from alert where id = %s", number) == (None,)
    assert "no open alert: 987654" in site.operator.refused("/alerts/987654/acknowledge").lower()


def test_alerts_that_are_decided_elsewhere_say_where(site: Site) -> None:
    """The alert of an unplaced sale leads to the page where somebody says what it was."""
    _, session = site.held(site.product("Belt", "S", "L"))
    page = site.operator.see("/alerts")
    card = page[page.index(f"{session}/li_1") :]
    assert card.index('<a href="/unplaced">') < card.index("</article>")


def test_what_is_proposed_of_a_refund_goes_back_into_stock(site: Site) -> None:
    """The form holds what is likely; sent as it is, that comes back, and the refund is decided with its alert."""
    mug = site.product("Tea mug")
    refund = site.refund(mug, "", likeness="exact", proposed=1)
    page = site.operator.see("/refunds")
    assert "490 JPY, partial refund" in page
    (name, value) = re.findall(rf'name="(units:li_{refund[3:]})" value="(\d*)"', page)[0]
    assert value == "1"
    told = site.operator.done(f"/refunds/{refund}/accept", **{name: value, "reason": "in the post"})
    assert f"{refund}: back in stock of {mug}." in told
    assert [row[:3] + row[4:] for row in site.movements(mug)] == [
        ("sale", "", -3, "stripe", ""),
        ("returned", "", 1, "anna", "in the post"),
    ]
    assert site.one("select state, decided_by from refund where refund_id = %s", refund) == (
        "accepted",
        "anna",
    )
    assert site.open_alerts(refund) == 0
    assert "Accepted by anna" in site.operator.see("/refunds?show=decided")


def test_where_no_units_are_likely_somebody_types_them(site: Site) -> None:
    """The field is empty; nothing, too many and no number are refused, what was typed comes back."""
    bag = site.product("Bag")
    refund = site.refund(bag, "", likeness="unknown", proposed=0)
    line = f"units:li_{refund[3:]}"
    assert f'name="{line}" value=""' in site.operator.see("/refunds")
    path = f"/refunds/{refund}/accept"
    for wrong in ("", "-1", "1.5", "٣"):
        assert "whole numbers" in site.operator.refused(path, **{line: wrong})
    assert "whole numbers" in site.operator.refused(path)
    assert "at most 3" in site.operator.refused(path, **{line: "4"})
    assert "has no line" in site.operator.refused(path, **{"units:li_other": "1"})
    assert len(site.movements(bag)) == 1
    assert site.one("select state from refund where refund_id = %s", refund) == ("open",)
    site.operator.done(path, **{line: "2"})
    assert site.movements(bag)[1][:3] == ("returned", "", 2)


def test_a_refund_is_dismissed_with_a_reason(site: Site) -> None:
    """Nothing comes back, and the reason is kept; without one nothing is decided."""
    pen = site.product("Pen")
    refund = site.refund(pen, "", likeness="exact", proposed=1)
    assert "say why" in site.operator.refused(f"/refunds/{refund}/dismiss", reason="").lower()
    assert site.one("select state from refund where refund_id = %s", refund) == ("open",)
    site.operator.done(f"/refunds/{refund}/dismiss", reason="broken")
    assert site.one("select state, reason from refund where refund_id = %s", refund) == (
        "dismissed",
        "broken",
    )
    assert len(site.movements(pen)) == 1
    assert "dismissed by anna" in site.operator.refused(f"/refunds/{refund}/dismiss", reason="again")


def test_viewers_see_everything_but_the_forms(site: Site) -> None:
    """The same lists, no form except the one to log out; what is sent all the same is refused and changes nothing."""
    vase = site.product("Vase", "S", "L")
    number, session = site.held(vase)
    finding, refund = site.finding(vase), site.refund(vase, "S", likeness="exact", proposed=1)
    alert = site.alert(AlertKind.QUARANTINE, vase, product=vase, name="Vase", reason="so")
    pages = (
        "/unplaced",
        f"/unplaced/{number}",
        f"/unplaced/{number}?q=vase",
        "/findings",
        "/alerts",
        "/refunds",
    )
    for path in pages:
        seen = site.viewer.see(path)
        assert re.findall(r'<form[^>]* method="post" action="([^"]+)"', seen) == ["/logout"], path
        assert "<input" not in seen.replace('<input type="hidden" name="csrf"', ""), path
    assert session in site.viewer.see("/unplaced")
    assert "<form" not in site.viewer.see(f"/unplaced/{number}?product={vase}", part=True)
    for path, fields in (
        (f"/unplaced/{number}/place", {"product": vase, "size": "S"}),
        (f"/unplaced/{number}/dismiss", {}),
        (f"/findings/{finding}/resolve", {"how": "so"}),
        (f"/alerts/{alert}/acknowledge", {}),
        (f"/refunds/{refund}/dismiss", {"reason": "so"}),
    ):
        assert site.viewer.send(path, **fields).status_code == 403
    assert site.one("select state from unplaced_sale where id = %s", number) == ("open",)
    assert site.one("select state from finding where id = %s", finding) == ("open",)
    assert site.one("select acknowledged_at from alert where id = %s", alert) == (None,)
    assert site.one("select state from refund where refund_id = %s", refund) == ("open",)


def test_texts_from_outside_are_shown_as_text(site: Site) -> None:
    """A product or a size hint that is a script is shown, on every page and in every notice, and never runs."""
    evil = site.product(EVIL, EVIL, "M")
    number, _ = site.held(evil, EVIL)
    site.finding(evil, EVIL, EVIL)
    site.alert(AlertKind.QUARANTINE, EVIL, product=evil, name=EVIL, reason=EVIL)
    site.refund(evil, EVIL, likeness="exact", proposed=1)
    one = f"/unplaced/{number}"
    for path in ("/unplaced", one, f"{one}?q={EVIL}", "/findings", "/alerts", "/refunds"):
        seen = site.operator.see(path)
        assert SHOWN in seen, path
        assert "<script>" not in seen, path
    told = site.operator.done(f"{one}/place", product=evil, size=EVIL, reason=EVIL)
    assert SHOWN in told
    assert "<script>" not in told


def test_the_navigation_counts_what_waits(site: Site) -> None:
    """Each page's badge says how many are open; what was seen to or can wait is not counted."""

    def counted() -> dict[str, int]:
        found = re.findall(
            r'href="/(\w+)"[^>]*>\w+ <span class="badge">(\d+)<', site.viewer.see("/products?q=nobodysells")
        )
        return {name: int(number) for name, number in found}

    before = counted()
    cup = site.product("Cup", "S", "L")
    site.held(cup)
    later = site.alert(AlertKind.JOB_FAILED, "verify")
    site.refund(cup, "S", likeness="exact", proposed=1)
    grown = counted()
    assert grown["unplaced"] == before.get("unplaced", 0) + 1
    assert grown["alerts"] == before.get("alerts", 0) + 3
    assert grown["refunds"] == before.get("refunds", 0) + 1
    site.operator.done(f"/alerts/{later}/snooze", length="1d")
    assert counted()["alerts"] == grown["alerts"] - 1
    overview = site.viewer.see("/")
    assert f'<a href="/unplaced">{grown["unplaced"]}</a>' in overview


def test_long_lists_come_a_page_at_a_time(site: Site) -> None:
    """What does not fit on a page is on the next, once each; a page beyond the last says so."""
    numbers = [site.finding(ProductId(f"prod_many_{number}")) for number in range(30)]
    seen: list[int] = []
    path: str | None = "/findings"
    while path:
        page = site.operator.see(path)
        seen += [int(number) for number in re.findall(r'<h2 id="finding-(\d+)"', page)]
        following = re.search(r'<a href="([^"]+)" rel="next"', page)
        path = following[1].replace("&amp;", "&") if following else None
    assert seen == sorted(set(seen), reverse=True)
    assert set(numbers) <= set(seen)
    assert "Nothing more." in site.operator.see("/findings?page=99")
