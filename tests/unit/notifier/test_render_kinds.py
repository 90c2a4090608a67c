from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest

from services.notifier.decide import digest
from services.notifier.policy import Policy
from services.notifier.render import render
from shared.alerts import (
    OversoldSale,
    Recovered,
    Sold,
    finding_facts,
    oversold_facts,
    product_facts,
    recovered_facts,
    unplaced_facts,
)
from shared.findings import WORDS, Cause
from shared.vocabulary import AlertKind, SessionId
from tests.unit.notifier.claimed import SHIRT, TEST, alert, claim, mail_of, stock


def test_a_low_stock_mail_says_how_long_the_stock_lasts() -> None:
    """Both parts give the days of cover, out of stock only the pace."""
    low, out = stock(AlertKind.LOW_STOCK, "prod_1", units=6), stock(AlertKind.OUT_OF_STOCK, "prod_2", units=0)
    found = digest(claim(low, out), Policy())
    mail = render(
        replace(found, sold={low.id: Sold(53, 28), out.id: Sold(28, 28)}), Policy(), domain="example.com"
    )
    for part in (mail.text, mail.html):
        assert "about 3 days at the pace of the last 28 days (1.9 a day)" in part
        assert "sold 1 a day over the last 28 days" in part


def test_oversold_names_every_session_and_its_units() -> None:
    """An oversold mail carries the session ids that a person needs to refund, and what is missing in all."""
    sales = [OversoldSale(SessionId("cs_1"), 2), OversoldSale(SessionId("cs_2"), 1)]
    mail = mail_of(alert(AlertKind.OVERSOLD, str(SHIRT), oversold_facts(SHIRT, "Shirt", sales)))
    for part in (mail.text, mail.html):
        assert "3 short" in part
        assert "2 units in session cs_1" in part
        assert "1 unit in session cs_2" in part


def test_a_flood_of_oversold_sales_names_the_newest() -> None:
    """A mail of many sessions shows the newest, counts the earlier ones, and all units that are missing."""
    sales = [OversoldSale(SessionId(f"cs_{n}."), 1) for n in range(14)]
    facts = {**oversold_facts(SHIRT, "Shirt", sales), "short": 300, "sold": 299}
    mail = mail_of(alert(AlertKind.OVERSOLD, str(SHIRT), facts))
    for part in (mail.text, mail.html):
        assert "300 short" in part
        assert "cs_13." in part
        assert "cs_3." not in part
        assert "and 289 earlier" in part


def test_unplaced_says_what_was_sold_and_why_it_waits() -> None:
    """An unplaced mail carries quantity, reason in words, session and line."""
    facts = unplaced_facts("cs_9", "li_9", quantity=2, reason="the sale does not say which size", name="Hat")
    text = mail_of(alert(AlertKind.UNPLACED_SALE, "cs_9/li_9", facts)).text
    for said in ("Hat: 2 sold", "the sale does not say which size", "session cs_9, line li_9"):
        assert said in text


def test_a_dispute_says_how_much_why_until_when_and_what_to_do() -> None:
    """A mail of a dispute carries amount, reason, the bank's deadline, session, and the command for the goods."""
    facts = {
        "session": "cs_7",
        "reason": "49.00 EUR were disputed (reason: fraudulent): nothing is left of what was paid",
        "command": "stocksync refunds accept dp_7",
        "due_by": "2026-12-05T23:59:00+00:00",
    }
    mail = mail_of(alert(AlertKind.DISPUTED, "dp_7", facts))
    for part in (mail.text, re.sub("</?code[^>]*>", "`", unescape(mail.html))):
        words = re.sub(r"\s+", " ", part)
        for said in (
            "49.00 EUR were disputed (reason: fraudulent)",
            "the bank takes an answer until 5 Dec 2026, 23:59 UTC",
            "session cs_7",
            "Where the goods have not left, or came back: `stocksync refunds accept dp_7`",
            "search for the dispute's id in Stripe's Dashboard",
        ):
            assert said in words
    assert mail.subject == "[stocksync] Disputed: did the goods leave?: dp_7"


def test_recovered_sales_say_how_many_why_and_how_late() -> None:
    """A mail of recovered sales carries their number, the reasons, the longest delay, the first and the last."""
    found = Recovered(
        {"its webhook was not delivered": 9_990, "Stripe made no event for it": 10},
        SessionId("cs_first"),
        SessionId("cs_last"),
        timedelta(days=2, hours=3, minutes=4),
    )
    mail = mail_of(alert(AlertKind.SALE_RECOVERED, TEST, recovered_facts(found), account=TEST))
    for said in (
        "10,000 sales",
        "9,990: its webhook was not delivered",
        "10: Stripe made no event for it",
        "booked up to 2 d 3 h late",
        "sessions cs_first to cs_last",
    ):
        assert said in re.sub(r"\s+", " ", mail.text)
        assert said in re.sub(r"\s+", " ", unescape(mail.html))
    assert mail.subject == (
        "[stocksync test] Sales that no webhook told of: your Stripe account, test mode, 10,000 sales"
    )


def test_a_failed_job_says_which_when_and_why() -> None:
    """Name, reason and the time it was planned for, by the shop's clocks."""
    facts = {
        "job": "recover",
        "reason": "Stripe's list ends early",
        "planned_at": "2026-11-24T09:15:00+00:00",
    }
    policy = Policy(zone=ZoneInfo("Europe/Berlin"))
    found = digest(claim(alert(AlertKind.JOB_FAILED, "recover", facts)), policy)
    mail = render(found, policy, domain="example.com")
    assert mail.subject == "[stocksync] A scheduled job failed: recover"
    for said in (
        "Stripe's list ends early",
        "planned for 24 Nov 2026, 10:15 CET",
        "since 24 Nov 2026, 10:05 CET",
    ):
        assert said in mail.text


def test_a_refund_is_told_with_the_command_that_puts_it_back() -> None:
    """Which refund, of which session, why these units, and what to type where they came back."""
    facts = {
        "session": "cs_1",
        "reason": "49.00 EUR went back: everything was paid back",
        "command": "stocksync refunds accept re_1",
        "dismiss": "stocksync refunds dismiss re_1",
    }
    mail = mail_of(alert(AlertKind.REFUND_PROPOSED, "re_1", facts))
    for part in (mail.text, unescape(mail.html)):
        shown = " ".join(part.split())
        for said in ("re_1", "session cs_1", "49.00 EUR went back", "stocksync refunds accept re_1"):
            assert said in shown
    assert "To put it back into stock: `stocksync refunds accept re_1`" in " ".join(mail.text.split())
    assert "Where nothing came back: `stocksync refunds dismiss re_1`" in " ".join(mail.text.split())


@pytest.mark.parametrize(
    ("kind", "commands"),
    [
        (AlertKind.DEAD_LETTER, ("dead-letters list", "dead-letters replay --all")),
        (
            AlertKind.UNPLACED_SALE,
            ("unplaced list", "unplaced place NUMBER PRODUCT SIZE", "unplaced dismiss NUMBER"),
        ),
        (AlertKind.LOW_STOCK, ("restock PRODUCT SIZE +N",)),
    ],
)
def test_a_mail_names_the_commands_that_mend(kind: AlertKind, commands: tuple[str, ...]) -> None:
    """Whoever reads it can act on it."""
    shown = " ".join(mail_of(alert(kind, "sales", {"queue": "sales"})).text.split())
    assert [command for command in commands if f"`stocksync {command}`" not in shown] == []


def test_mixed_modes_name_the_setting() -> None:
    """A webhook door without a key takes the test mode unless a setting says otherwise, which the mail names."""
    assert "STRIPE_LIVEMODE=true" in mail_of(alert(AlertKind.LIVEMODE_MISMATCH, "x")).text


def test_a_quarantine_is_told_with_what_to_check_and_the_command_that_ends_it() -> None:
    """What a person sees to comes before the command; a size that mends itself has none."""
    facts = product_facts("prod_1", "Mug", reason="its stock_rev was changed by hand")
    theirs = {**facts, "first": "Check its numbers.", "command": "stocksync takeover prod_1"}
    shown = " ".join(mail_of(alert(AlertKind.QUARANTINE, "prod_1", theirs)).text.split())
    said = (
        "changed by hand",
        "Check its numbers.",
        "Once its numbers there are right: `stocksync takeover prod_1`",
    )
    places = [shown.index(one) for one in said]
    assert places == sorted(places)
    size = {**facts, "first": "Type a plain number such as 12 into the metadata field stock_M."}
    shown = mail_of(alert(AlertKind.QUARANTINE, "prod_1/M", size)).text
    assert "Type a plain number such as 12" in shown
    assert "takeover prod_1" not in shown


def test_findings_are_told_with_their_number_and_what_to_do_about_each() -> None:
    """One alert of many findings says how many there are of each cause, and shows the first with what to do."""
    first = {
        "product": "prod_1",
        "name": "Mug",
        "size": "M",
        "cause": "edited in the Dashboard",
        "detail": "it shows 5, 3 was expected",
        "command": "stocksync jobs run verify",
    }
    other = {
        "name": "Cap",
        "cause": WORDS[Cause.NOT_A_NUMBER].happened,
        "detail": "it shows “3 pcs”",
        "first": "Type a plain number.",
        "purpose": "To look at it",
        "command": "stocksync doctor",
    }
    facts = finding_facts({"edited in the Dashboard": 9000, "a size was taken away": 1000}, [first, other])
    text = mail_of(alert(AlertKind.FINDING, "self:live", facts)).text
    assert "9000 × edited in the Dashboard" in text
    assert "1000 × a size was taken away" in text
    shown = " ".join(text.split())
    assert "Mug, M: edited in the Dashboard; it shows 5, 3 was expected. To mend it:" in shown
    assert "`stocksync jobs run verify`" in shown
    assert "it shows “3 pcs”. Type a plain number. To look at it: `stocksync doctor`" in shown
