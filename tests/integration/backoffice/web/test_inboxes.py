from __future__ import annotations

import re
from datetime import timedelta

from shared import clock
from shared.vocabulary import AlertKind, ProductId
from tests.support import inboxes, past
from tests.support.pages import Browser, Pages

EVIL = "<script>alert(1)</script>"
SHOWN = "&lt;script&gt;alert(1)&lt;/script&gt;"


def test_a_finding_is_acknowledged_and_then_resolved(site: Pages, olga: Browser) -> None:
    """It says what happened and what to do; each step is kept with who took it, and the alert ends with the last."""
    number = inboxes.finding(site.database, past.product(site.database, "Mug"))
    page = olga.see("/findings")
    for words in (
        "not a plain whole number",
        "it shows “3 pcs”",
        "Type a plain number",
        "stocksync jobs run verify",
    ):
        assert words in page
    olga.done(f"/findings/{number}/acknowledge")
    state = "select state, acknowledged_by, resolved_by, resolution from finding where id = %s"
    assert site.row(state, number) == ("acknowledged", "olga", "", "")
    assert inboxes.open_alerts(site.database, "self:test") == 0
    assert f"finding-{number}" not in olga.see("/findings")
    page = olga.see("/findings?show=acknowledged")
    assert "acknowledged by olga" in page
    assert f"/findings/{number}/acknowledge" not in page
    olga.done(f"/findings/{number}/resolve", how="typed 3")
    assert site.row(state, number) == ("resolved", "olga", "olga", "typed 3")
    assert "by olga: typed 3" in olga.see("/findings?show=resolved")


def test_a_finding_is_not_resolved_without_saying_how(site: Pages, olga: Browser) -> None:
    """An empty text, a finding that is over and one that never was change nothing, and the problem says so."""
    number = inboxes.finding(site.database, past.product(site.database, "Bowl"))
    assert "what was done" in olga.refused(f"/findings/{number}/resolve", how="  ")
    assert site.row("select state from finding where id = %s", number) == ("open",)
    olga.done(f"/findings/{number}/resolve", how="put it back")
    assert "was over before" in olga.refused(f"/findings/{number}/acknowledge")
    assert "no such finding" in olga.refused(f"/findings/{2**62}/resolve", how="so").lower()
    assert site.row("select resolution from finding where id = %s", number) == ("put it back",)


def test_an_alert_is_snoozed_and_acknowledged(site: Pages, olga: Browser) -> None:
    """It waits for the length that was chosen or typed, and is told no more once somebody sees to it."""
    hat = past.product(site.database, "Hat", "M")
    number = inboxes.alert(
        site.database,
        AlertKind.LOW_STOCK,
        f"{hat}/M",
        product=hat,
        name="Hat",
        size="M",
        on_hand=3,
        threshold=5,
    )
    page = olga.see("/alerts")
    assert f'<a href="/products/{hat}">Hat ({hat}/M)</a>' in page
    assert "3 left then; the threshold is 5" in page
    until = "select snoozed_until, acknowledged_by from alert where id = %s"
    for fields, length in (({"own": "", "length": "1w"}, 7 * 24), ({"own": "3h", "length": "1w"}, 3)):
        assert "if it still lasts" in olga.done(f"/alerts/{number}/snooze", **fields)
        left = site.row(until, number)[0] - clock.now()
        assert timedelta(hours=length, minutes=-2) < left <= timedelta(hours=length)
    assert "snoozed until" in olga.see("/alerts")
    olga.done(f"/alerts/{number}/acknowledge")
    assert site.row(until, number) == (None, "olga")
    assert "acknowledged by olga" in olga.see("/alerts")


def test_an_alert_does_not_wait_for_a_length_that_is_none(site: Pages, olga: Browser) -> None:
    """What is no length of time, and an alert that is over, is a problem in words."""
    number = inboxes.alert(
        site.database, AlertKind.JOB_FAILED, "recover", job="recover", reason="Stripe was away"
    )
    assert "Stripe was away." in olga.see("/alerts")
    for wrong in ("soon", "400d", "-1h"):
        assert "90m, 3h, 2d or 1w" in olga.refused(f"/alerts/{number}/snooze", own=wrong)
    assert "90m, 3h, 2d or 1w" in olga.refused(f"/alerts/{number}/snooze")
    assert site.row("select snoozed_until from alert where id = %s", number) == (None,)
    assert "no open alert: 987654" in olga.refused("/alerts/987654/acknowledge").lower()


def test_alerts_that_are_decided_elsewhere_say_where(site: Pages, olga: Browser) -> None:
    """The alert of an unplaced sale leads to the page where somebody says what it was."""
    _, session = inboxes.held(site.database, past.product(site.database, "Belt", "S", "L"))
    page = olga.see("/alerts")
    card = page[page.index(f"{session}/li_1") :]
    assert card.index('<a href="/unplaced">') < card.index("</article>")


def test_what_is_proposed_of_a_refund_goes_back_into_stock(site: Pages, olga: Browser) -> None:
    """The form holds what is likely; sent as it is, that comes back, and the refund is decided with its alert."""
    mug = past.product(site.database, "Tea mug")
    refund = inboxes.refund(site.database, mug, "", likeness="exact", proposed=1)
    page = olga.see("/refunds")
    assert "490 JPY, partial refund" in page
    (name, value) = re.findall(rf'name="(units:li_{refund[3:]})" value="(\d*)"', page)[0]
    assert value == "1"
    told = olga.done(f"/refunds/{refund}/accept", **{name: value, "reason": "in the post"})
    assert f"{refund}: back in stock of {mug}." in told
    assert [row[:3] + row[4:] for row in past.moved(site.database, mug)] == [
        ("sale", "", -3, "stripe", ""),
        ("returned", "", 1, "olga", "in the post"),
    ]
    assert site.row("select state, decided_by from refund where refund_id = %s", refund) == (
        "accepted",
        "olga",
    )
    assert inboxes.open_alerts(site.database, refund) == 0
    assert "Accepted by olga" in olga.see("/refunds?show=decided")


def test_where_no_units_are_likely_somebody_types_them(site: Pages, olga: Browser) -> None:
    """The field is empty; nothing, too many and no number are refused, what was typed comes back."""
    bag = past.product(site.database, "Bag")
    refund = inboxes.refund(site.database, bag, "", likeness="unknown", proposed=0)
    line = f"units:li_{refund[3:]}"
    assert f'name="{line}" value=""' in olga.see("/refunds")
    path = f"/refunds/{refund}/accept"
    for wrong in ("", "-1", "1.5", "٣"):
        assert "whole numbers" in olga.refused(path, **{line: wrong})
    assert "whole numbers" in olga.refused(path)
    assert "at most 3" in olga.refused(path, **{line: "4"})
    assert "has no line" in olga.refused(path, **{"units:li_other": "1"})
    assert len(past.moved(site.database, bag)) == 1
    assert site.row("select state from refund where refund_id = %s", refund) == ("open",)
    olga.done(path, **{line: "2"})
    assert past.moved(site.database, bag)[1][:3] == ("returned", "", 2)


def test_a_refund_is_dismissed_with_a_reason(site: Pages, olga: Browser) -> None:
    """Nothing comes back, and the reason is kept; without one nothing is decided."""
    pen = past.product(site.database, "Pen")
    refund = inboxes.refund(site.database, pen, "", likeness="exact", proposed=1)
    assert "say why" in olga.refused(f"/refunds/{refund}/dismiss", reason="").lower()
    assert site.row("select state from refund where refund_id = %s", refund) == ("open",)
    olga.done(f"/refunds/{refund}/dismiss", reason="broken")
    assert site.row("select state, reason from refund where refund_id = %s", refund) == (
        "dismissed",
        "broken",
    )
    assert len(past.moved(site.database, pen)) == 1
    assert "dismissed by olga" in olga.refused(f"/refunds/{refund}/dismiss", reason="again")


def test_viewers_see_everything_but_the_forms(site: Pages, viola: Browser) -> None:
    """The same lists, no form except the one to log out; what is sent all the same is refused and changes nothing."""
    vase = past.product(site.database, "Vase", "S", "L")
    number, session = inboxes.held(site.database, vase)
    finding, refund = (
        inboxes.finding(site.database, vase),
        inboxes.refund(site.database, vase, "S", likeness="exact", proposed=1),
    )
    alert = inboxes.alert(site.database, AlertKind.QUARANTINE, vase, product=vase, name="Vase", reason="so")
    pages = (
        "/unplaced",
        f"/unplaced/{number}",
        f"/unplaced/{number}?q=vase",
        "/findings",
        "/alerts",
        "/refunds",
    )
    for path in pages:
        seen = viola.see(path)
        assert re.findall(r'<form[^>]* method="post" action="([^"]+)"', seen) == ["/logout"], path
        assert "<input" not in seen.replace('<input type="hidden" name="csrf"', ""), path
    assert session in viola.see("/unplaced")
    assert "<form" not in viola.part(f"/unplaced/{number}?product={vase}")
    for path, fields in (
        (f"/unplaced/{number}/place", {"product": vase, "size": "S"}),
        (f"/unplaced/{number}/dismiss", {}),
        (f"/findings/{finding}/resolve", {"how": "so"}),
        (f"/alerts/{alert}/acknowledge", {}),
        (f"/refunds/{refund}/dismiss", {"reason": "so"}),
    ):
        assert viola.send(path, **fields).status_code == 403
    assert site.row("select state from unplaced_sale where id = %s", number) == ("open",)
    assert site.row("select state from finding where id = %s", finding) == ("open",)
    assert site.row("select acknowledged_at from alert where id = %s", alert) == (None,)
    assert site.row("select state from refund where refund_id = %s", refund) == ("open",)


def test_texts_from_outside_are_shown_as_text(site: Pages, olga: Browser) -> None:
    """A product or a size hint that is a script is shown, on every page and in every notice, and never runs."""
    evil = past.product(site.database, EVIL, EVIL, "M")
    number, _ = inboxes.held(site.database, evil, EVIL)
    inboxes.finding(site.database, evil, EVIL, EVIL)
    inboxes.alert(site.database, AlertKind.QUARANTINE, EVIL, product=evil, name=EVIL, reason=EVIL)
    inboxes.refund(site.database, evil, EVIL, likeness="exact", proposed=1)
    one = f"/unplaced/{number}"
    for path in ("/unplaced", one, f"{one}?q={EVIL}", "/findings", "/alerts", "/refunds"):
        seen = olga.see(path)
        assert SHOWN in seen, path
        assert "<script>" not in seen, path
    told = olga.done(f"{one}/place", product=evil, size=EVIL, reason=EVIL)
    assert SHOWN in told
    assert "<script>" not in told


def test_the_navigation_counts_what_waits(site: Pages, olga: Browser, viola: Browser) -> None:
    """Each page's badge says how many are open; what was seen to or can wait is not counted."""

    def counted() -> dict[str, int]:
        found = re.findall(
            r'href="/(\w+)"[^>]*>\w+ <span class="badge">(\d+)<', viola.see("/products?q=nobodysells")
        )
        return {name: int(number) for name, number in found}

    before = counted()
    cup = past.product(site.database, "Cup", "S", "L")
    inboxes.held(site.database, cup)
    later = inboxes.alert(site.database, AlertKind.JOB_FAILED, "verify")
    inboxes.refund(site.database, cup, "S", likeness="exact", proposed=1)
    grown = counted()
    assert grown["unplaced"] == before.get("unplaced", 0) + 1
    assert grown["alerts"] == before.get("alerts", 0) + 3
    assert grown["refunds"] == before.get("refunds", 0) + 1
    olga.done(f"/alerts/{later}/snooze", length="1d")
    assert counted()["alerts"] == grown["alerts"] - 1
    overview = viola.see("/")
    assert f'<a href="/unplaced">{grown["unplaced"]}</a>' in overview


def test_long_lists_come_a_page_at_a_time(site: Pages, olga: Browser) -> None:
    """What does not fit on a page is on the next, once each; a page beyond the last says so."""
    numbers = [inboxes.finding(site.database, ProductId(f"prod_many_{number}")) for number in range(30)]
    seen: list[int] = []
    path: str | None = "/findings"
    while path:
        page = olga.see(path)
        seen += [int(number) for number in re.findall(r'<h2 id="finding-(\d+)"', page)]
        following = re.search(r'<a href="([^"]+)" rel="next"', page)
        path = following[1].replace("&amp;", "&") if following else None
    assert seen == sorted(set(seen), reverse=True)
    assert set(numbers) <= set(seen)
    assert "Nothing more." in olga.see("/findings?page=99")
