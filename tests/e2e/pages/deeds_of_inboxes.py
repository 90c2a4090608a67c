"""Deeds that see to what waits: unplaced lines, findings, alerts, refunds, jobs, messages set aside, events."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import expect

from shared import clock
from shared.topology import JOBS, SALES
from shared.vocabulary import AlertKind
from tests.e2e.pages.deeds import Scene, deed
from tests.e2e.pages.shop import told
from tests.support import inboxes, past


@deed("unplaced.place", chief=True)
def place_a_line_and_those_like_it(scene: Scene) -> None:
    """The size is chosen, with the box for the next sale that says the same."""
    shirt, name = scene.product("Shirt", "L", "M")
    number, session = inboxes.held(scene.database, shirt, "medium")
    scene.go("/unplaced")
    scene.hand.press(scene.page.get_by_role("link", name=re.compile(f"Say what it was.*{session}$")))
    form = scene.part("Take it off a stock")
    scene.hand.tick(form.get_by_role("radio", name="M 10 on hand"))
    scene.write(form, "Why", "asked her")
    scene.hand.tick(form.get_by_label("Place the next sale"))
    scene.press(form, "Take 2 off its stock")
    scene.told(f"{name} ({shirt}), size M: 10 → 8, sold in {session}.")
    expect(scene.page.get_by_text(session)).to_have_count(1)  # of the notice; it waits no more
    assert past.moved(scene.database, shirt) == [("sale", "M", -2, session, "olga", "asked her")]
    state = scene.pages.row("select state, resolved_by from unplaced_sale where id = %s", number)
    assert state == ("placed", "olga")
    alias = scene.pages.row("select told_size, size from alias where product_id = %s", shirt)
    assert alias == ("medium", "M")


@deed("unplaced.place")
def place_a_line_that_names_no_product(scene: Scene) -> None:
    """The product is searched for while one types, then its size is chosen."""
    scarf, name = scene.product("Scarf", "long", "short")
    number, session = inboxes.held(scene.database, None)
    scene.go(f"/unplaced/{number}")
    form = scene.part("Take it off a stock")
    form.get_by_label("Search for a product").press_sequentially(name)
    scene.follow(form, name)
    scene.hand.tick(form.get_by_role("radio", name="short"))
    scene.press(form, "Take 2 off its stock")
    scene.told("10 → 8")
    assert past.moved(scene.database, scarf) == [("sale", "short", -2, session, "olga", "")]


@deed("unplaced.dismiss")
def dismiss_a_line(scene: Scene) -> None:
    """It takes no stock."""
    card, _ = scene.product("Gift card", "10", "20")
    number, session = inboxes.held(scene.database, card)
    scene.go(f"/unplaced/{number}")
    scene.press(scene.page, "It takes no stock")
    scene.told(f"{session} takes no stock for it.")
    assert past.moved(scene.database, card) == []
    assert scene.pages.row("select state from unplaced_sale where id = %s", number) == ("dismissed",)
    assert inboxes.open_alerts(scene.database, f"{session}/li_1") == 0


def _finding(scene: Scene) -> tuple[int, str]:
    mug, name = scene.product("Mug")
    number = inboxes.finding(scene.database, mug, name)
    scene.go("/findings")
    return number, name


@deed("findings.acknowledge")
def acknowledge_a_finding(scene: Scene) -> None:
    """Somebody knows of it."""
    number, name = _finding(scene)
    scene.press(scene.card(name), "Acknowledge")
    scene.told(f"Finding {number} is acknowledged")
    expect(scene.card(name)).to_have_count(0)
    scene.follow(scene.page.get_by_role("navigation", name="Findings"), "Acknowledged")
    expect(scene.card(name)).to_contain_text("acknowledged by olga")
    state = scene.pages.row("select state, acknowledged_by from finding where id = %s", number)
    assert state == ("acknowledged", "olga")


@deed("findings.resolve", chief=True)
def resolve_a_finding(scene: Scene) -> None:
    """It is over, and how."""
    number, name = _finding(scene)
    scene.write(scene.card(name), "What was done about it", "typed 3")
    scene.press(scene.card(name), "Resolve")
    scene.told(f"Finding {number} is resolved.")
    scene.follow(scene.page.get_by_role("navigation", name="Findings"), "Resolved")
    expect(scene.card(name)).to_contain_text("by olga: typed 3")
    state = scene.pages.row("select state, resolution from finding where id = %s", number)
    assert state == ("resolved", "typed 3")


def _alert(scene: Scene) -> tuple[int, str]:
    hat, name = scene.product("Hat", "M")
    facts: dict[str, str | int] = {"product": hat, "name": name, "size": "M", "on_hand": 3, "threshold": 5}
    number = inboxes.alert(scene.database, AlertKind.LOW_STOCK, f"{hat}/M", **facts)
    scene.go("/alerts")
    return number, name


@deed("alerts.acknowledge")
def acknowledge_an_alert(scene: Scene) -> None:
    """Somebody sees to it."""
    number, name = _alert(scene)
    scene.press(scene.card(name), "Acknowledge")
    scene.told("It is not told again while it lasts.")
    expect(scene.card(name)).to_contain_text("acknowledged by olga")
    assert scene.pages.row("select acknowledged_by from alert where id = %s", number) == ("olga",)


@deed("alerts.snooze")
def snooze_an_alert(scene: Scene) -> None:
    """It can wait for a week."""
    number, name = _alert(scene)
    scene.choose(scene.card(name), "Let it wait", "a week")
    scene.press(scene.card(name), "Snooze")
    scene.told("if it still lasts")
    expect(scene.card(name)).to_contain_text("snoozed until")
    (until,) = scene.pages.row("select snoozed_until from alert where id = %s", number)
    assert timedelta(days=6, hours=23) < until - clock.now() <= timedelta(days=7)


@deed("refunds.accept", chief=True)
def accept_a_refund(scene: Scene) -> None:
    """Two came back, not the one that is proposed."""
    mug, name = scene.product("Tea mug")
    refund = inboxes.refund(scene.database, mug, "", likeness="exact", proposed=1)
    scene.go("/refunds")
    card = scene.card(name)
    field = card.get_by_role("textbox", name=f"Units of {name} that came back")
    expect(field).to_have_value("1")
    scene.hand.write(field, "2")
    scene.write(card, "Why, if it needs saying", "in the post")
    scene.press(card, "Put these back into stock")
    scene.told(f"{refund}: back in stock of {mug}.")
    expect(scene.card(name)).to_have_count(0)
    moved = past.moved(scene.database, mug)[1]
    assert moved[:3] + moved[4:] == ("returned", "", 2, "olga", "in the post")
    state = scene.pages.row("select state, decided_by from refund where refund_id = %s", refund)
    assert state == ("accepted", "olga")


@deed("refunds.dismiss")
def dismiss_a_refund(scene: Scene) -> None:
    """Nothing came back, and why."""
    pen, name = scene.product("Pen")
    refund = inboxes.refund(scene.database, pen, "", likeness="unknown", proposed=0)
    scene.go("/refunds")
    scene.write(scene.card(name), "Or why nothing came back", "broken")
    scene.press(scene.card(name), "Nothing came back")
    scene.told(f"{refund}: nothing came back.")
    assert len(past.moved(scene.database, pen)) == 1
    state = scene.pages.row("select state, reason from refund where refund_id = %s", refund)
    assert state == ("dismissed", "broken")


@deed("jobs.run")
def run_a_job(scene: Scene) -> None:
    """It is planned for now, the reconciler is told, and the page is live."""
    before = scene.ready(JOBS)
    scene.go("/jobs")
    scene.press(scene.page, "Run snapshot now")
    scene.told("snapshot is to run now.")
    row = scene.page.get_by_role("row").filter(
        has=scene.page.get_by_role("link", name="snapshot", exact=True)
    )
    expect(row).to_contain_text("about to begin")
    run = "select actor, state from job_run where job = 'snapshot' order by planned_at desc limit 1"
    assert scene.pages.row(run) == ("olga", "planned")
    assert scene.ready(JOBS) == before + 1


def _letter(scene: Scene) -> None:
    """Set a message aside, and open its page."""
    _, name = scene.product("Letter")
    message = inboxes.paid(f"cs_letter_{name[-4:]}")
    inboxes.park(scene.pages.broker, [message], [SALES])
    scene.go("/dead-letters")
    scene.hand.press(scene.page.get_by_title(message.message_id, exact=True))


@deed("dead_letters.replay", chief=True)
def have_a_message_handled_again(scene: Scene) -> None:
    """It is in its queue again, and lies aside no more."""
    _letter(scene)
    expect(scene.page.get_by_role("table")).to_contain_text("cs_letter_")
    aside, ready = scene.aside(SALES), scene.ready(SALES)
    scene.press(scene.page, "Have it handled again")
    scene.told("To be handled again: 1 message.")
    assert (scene.aside(SALES), scene.ready(SALES)) == (aside - 1, ready + 1)


@deed("dead_letters.replay")
def have_all_of_a_queue_handled_again(scene: Scene) -> None:
    """None of that queue lies aside any more."""
    _letter(scene)
    aside, ready = scene.aside(SALES), scene.ready(SALES)
    scene.go("/dead-letters")
    scene.press(scene.page, "Have all of sales handled again")
    scene.told("To be handled again: ")
    assert (scene.aside(SALES), scene.ready(SALES)) == (0, ready + aside)


@deed("dead_letters.drop")
def throw_a_message_away(scene: Scene) -> None:
    """Once somebody said so on a page that asks."""
    _letter(scene)
    aside, ready = scene.aside(SALES), scene.ready(SALES)
    scene.follow(scene.page, "Throw it away")
    expect(scene.page.get_by_role("heading", level=1)).to_have_text("Throw this message away?")
    assert scene.aside(SALES) == aside
    scene.press(scene.page, "Throw it away")
    scene.told("Thrown away: 1 message.")
    assert (scene.aside(SALES), scene.ready(SALES)) == (aside - 1, ready)


@deed("events.replay", chief=True)
def replay_an_event(scene: Scene) -> None:
    """A sale that no webhook told of is found among the events, and the stock worker is told of it."""
    shop = scene.stage.shop
    session = shop.sold(shop.line(shop.product(stock="9"), "", 2))
    event, before = told(shop, session), scene.ready(SALES)
    scene.go("/events")
    scene.choose(scene.page, "About", "checkout")
    scene.press(scene.page, "Show")
    scene.follow(scene.page, event)
    scene.press(scene.page, "Replay it")
    scene.told(f"{event}: sent: {session}")
    assert scene.ready(SALES) == before + 1
