from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifier.decide import digest
from services.notifier.mail import Letterhead, Mail
from services.notifier.message import WIRE, addresses, compose
from services.notifier.policy import Policy
from services.notifier.render import render
from shared.alerts import (
    JSON,
    ClaimedAlert,
    OversoldSale,
    Recovered,
    Sold,
    finding_facts,
    oversold_facts,
    product_facts,
    recovered_facts,
    stock_facts,
    unplaced_facts,
)
from shared.findings import WORDS, Cause
from shared.vocabulary import AccountKey, AlertKind, ProductId, SessionId, Size, Variant
from tests.unit.notifier.claimed import TEST, alert, claim, over, stock

LOW, OUT, OVERSOLD = AlertKind.LOW_STOCK, AlertKind.OUT_OF_STOCK, AlertKind.OVERSOLD
SHIRT = Variant(ProductId("prod_1"), Size("M"))
LETTERHEAD = Letterhead("stocksync <bot@example.com>", ("a@example.com", "b@example.com"))
NOW = datetime(2026, 11, 24, 9, 6, tzinfo=UTC)


def mail_of(*alerts: ClaimedAlert) -> Mail:
    return render(digest(claim(*alerts), Policy()), Policy(), domain="example.com")


def wire(mail: Mail) -> bytes:
    return compose(mail, LETTERHEAD, NOW).as_bytes(policy=WIRE)


def test_a_low_stock_mail_says_all_a_person_needs() -> None:
    """Both parts name product, size, what is left, threshold, since when, the field to edit and the page."""
    mail = mail_of(stock(LOW, "prod_1", name="Fisherman's jumper", units=3))
    for part in (mail.text, unescape(mail.html)):
        words = re.sub(r"\s+", " ", part)
        for said in ("Fisherman's jumper", "M", "3 left", "threshold 5", "24 Nov 2026, 09:05 UTC", "stock_M"):
            assert said in words
        assert "https://dashboard.stripe.com/products/prod_1" in words
        assert "type the new number into the field" in words
    assert mail.subject == "[stocksync] Low stock: Fisherman's jumper, M, 3 left"


def test_the_number_is_todays() -> None:
    """A mail that was held up says what is left now, not what was left then."""
    facts = stock_facts(SHIRT, "Shirt", on_hand=4, threshold=5)
    assert "2 left" in mail_of(alert(LOW, str(SHIRT), facts, on_hand=2)).text


def test_oversold_names_every_session_and_its_units() -> None:
    """An oversold mail carries the session ids that a person needs to refund, and what is missing in all."""
    sales = [OversoldSale(SessionId("cs_1"), 2), OversoldSale(SessionId("cs_2"), 1)]
    mail = mail_of(alert(OVERSOLD, str(SHIRT), oversold_facts(SHIRT, "Shirt", sales)))
    for part in (mail.text, mail.html):
        assert "3 short" in part
        assert "2 units in session cs_1" in part
        assert "1 unit in session cs_2" in part


def test_a_flood_of_oversold_sales_names_the_newest() -> None:
    """A mail of many sessions shows the newest, counts the earlier ones, and all units that are missing."""
    sales = [OversoldSale(SessionId(f"cs_{n}."), 1) for n in range(14)]
    facts = {**oversold_facts(SHIRT, "Shirt", sales), "short": 300, "sold": 299}
    mail = mail_of(alert(OVERSOLD, str(SHIRT), facts))
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


def test_links_lead_to_the_right_account_and_mode() -> None:
    """A test product links below /test, a connected account's below its id."""
    connected = alert(OUT, "x", product_facts("prod_2", "Y"), account=AccountKey("acct_1Ab:live"))
    text = mail_of(alert(OUT, "y", product_facts("prod_1", "X"), account=TEST), connected).text
    assert "https://dashboard.stripe.com/test/products/prod_1" in text
    assert "https://dashboard.stripe.com/acct_1Ab/products/prod_2" in text


def test_test_mode_is_marked() -> None:
    """A mail that is only about test mode says so in its subject and in both parts."""
    mail = mail_of(alert(account=TEST))
    assert mail.subject.startswith("[stocksync test] ")
    assert "test mode" in mail.text.lower()
    assert "test mode" in mail.html.lower()


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\x85", "\x0b", "\0"])
def test_fault_101_a_product_name_cannot_add_a_header(end: str) -> None:
    """A line break of any kind in a product's name adds no header and no line to the body."""
    mail = mail_of(stock(LOW, "prod_1", name=f"X{end}Bcc: evil@example.org{end}{end}<script>"))
    parsed = message_from_bytes(wire(mail), policy=policy.default)
    assert parsed["Bcc"] is None
    assert sorted(parsed.keys()).count("Subject") == 1
    assert "Bcc: evil@example.org" in parsed["Subject"]
    assert addresses(compose(mail, LETTERHEAD, NOW), "To") == ("a@example.com", "b@example.com")
    assert "\nBcc:" not in mail.text


def test_fault_102_ten_thousand_alerts_are_one_short_mail() -> None:
    """A flood is one mail that shows the first and counts the others."""
    mail = mail_of(*(stock(LOW, f"prod_{n}") for n in range(10_000)))
    assert mail.subject == "[stocksync] 10,000 low stock"
    assert "and 9,975 more" in mail.text
    assert "and 9,975 more" in mail.html
    assert len(wire(mail)) < 100_000


def test_fault_105_html_escapes_names_and_links_only_to_stripe() -> None:
    """A name is text, never markup; every link leads to a product's page and carries nothing else."""
    nasty = '<img src=x onerror="alert(1)">&\'"'
    mail = mail_of(
        stock(LOW, "prod_1", name=nasty, size="</td><a href=//evil>"),
        alert(OUT, "s", product_facts("prod_1?key=sk_live_1#x", nasty)),
    )
    assert "<img" not in mail.html
    assert "<a href=//evil" not in mail.html
    assert nasty in unescape(mail.html)
    assert set(re.findall(r'(?:href|src)="([^"]*)"', mail.html)) == {
        "https://dashboard.stripe.com/products/prod_1"
    }


def test_a_mail_told_twice_has_one_message_id() -> None:
    """The same alerts make the same Message-ID in any order; another alert or an addition makes another."""
    first, second = alert(LOW, "a"), alert(LOW, "b")
    ids = [mail_of(*alerts).message_id for alerts in ((first, second), (second, first), (first,))]
    assert ids[0] == ids[1] != ids[2]
    assert re.fullmatch(r"<alerts-[0-9a-f]{32}@example\.com>", ids[0])


def test_the_message_on_the_wire_is_plain_and_marked_as_automatic() -> None:
    """Every line is ASCII, ends in CRLF and is shorter than SMTP's limit; robots are told not to answer."""
    raw = wire(mail_of(stock(LOW, "prod_1", name="Mütze 🧢 " * 20, size="größer")))
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    parsed = message_from_bytes(raw, policy=policy.default)
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["Date"].datetime == NOW
    assert [part.get_content_type() for part in parsed.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300)
ANYTHING: st.SearchStrategy[JSON] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = (
    "product",
    "name",
    "size",
    "on_hand",
    "threshold",
    "sales",
    "session",
    "line_item",
    "quantity",
    "reason",
    "recovered",
    "reasons",
    "delay",
    "first",
    "last",
    "queue",
    "job",
    "count",
    "planned_at",
    "oldest",
    "examples",
)


@given(
    kind=st.sampled_from(AlertKind),
    subject=st.text(max_size=100),
    facts=st.dictionaries(st.sampled_from(KEYS), ANYTHING),
)
@settings(max_examples=150, deadline=None)
def test_no_facts_can_break_a_mail(kind: AlertKind, subject: str, facts: dict[str, JSON]) -> None:
    """Whatever an alert's facts hold, a mail comes of it: one odd alert must not hold up the others."""
    mail = mail_of(alert(kind, subject, facts))
    parsed = message_from_bytes(wire(mail), policy=policy.default)
    assert parsed["Message-ID"] == mail.message_id
    assert not parsed.defects


def test_a_low_stock_mail_says_how_long_the_stock_lasts() -> None:
    """Both parts give the days of cover, out of stock only the pace."""
    low, out = stock(LOW, "prod_1", units=6), stock(OUT, "prod_2", units=0)
    found = digest(claim(low, out), Policy())
    mail = render(
        replace(found, sold={low.id: Sold(53, 28), out.id: Sold(28, 28)}), Policy(), domain="example.com"
    )
    for part in (mail.text, mail.html):
        assert "about 3 days at the pace of the last 28 days (1.9 a day)" in part
        assert "sold 1 a day over the last 28 days" in part


def test_what_is_over_is_a_short_section_at_the_end() -> None:
    """A line each says what is well again and since when; the subject counts them."""
    news = alert(AlertKind.QUARANTINE, "prod_9", product_facts("prod_9", "Hat"))
    ends = [over(OUT, str(SHIRT), stock_facts(SHIRT, "Shirt", on_hand=0, threshold=5), on_hand=12)]
    ends.append(over(AlertKind.STRIPE_REFUSED, "self:live", product_facts("", "")))
    mail = mail_of(news, *ends)
    assert mail.subject == "[stocksync] 1 in quarantine, 2 over now"
    for part in (mail.text, mail.html):
        assert part.index("Hat") < part.index("Over now") < part.index("Stripe accepts the API key again")
        assert "12 left" in part
    assert "* Back in stock: Shirt, M, 12 left" in mail.text
    assert mail_of(*ends[:1]).subject == "[stocksync] Back in stock: Shirt, M, 12 left"
    assert mail_of(*ends).subject == "[stocksync] 2 over now"


def test_a_flood_of_ends_is_short_too() -> None:
    """After a big restock the first are shown and the others counted."""
    ends = [
        over(LOW, f"p{n}", stock_facts(SHIRT, "Shirt", on_hand=0, threshold=5), on_hand=9) for n in range(500)
    ]
    mail = mail_of(*ends)
    assert mail.subject == "[stocksync] 500 over now"
    assert "and 475 more" in mail.text
    assert "and 475 more" in mail.html
    assert mail.html.count("Shirt") == 25


def test_the_end_of_an_alert_is_another_mail_than_its_beginning() -> None:
    """A mail client must not fold the end into the mail that told of the beginning."""
    begun = alert(LOW, "a")
    ended = replace(begun, news=False, heard=True, resolved_at=NOW)
    assert mail_of(begun).message_id != mail_of(ended).message_id


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


def test_what_any_kind_may_hold_is_shown() -> None:
    """Count, reason, the oldest and a few examples are told of kinds that others invent facts for."""
    facts: dict[str, JSON] = {
        "count": 12_000,
        "reason": "sizes differ",
        "oldest": "2026-11-20T08:00:00Z",
        "examples": [f"prod_{n}: 3 here, 5 there" for n in range(8)],
    }
    text = mail_of(alert(AlertKind.DEAD_LETTER, "sales", facts)).text
    for said in (
        "sales: 12,000 messages",
        "sizes differ",
        "the oldest from 20 Nov 2026, 08:00 UTC",
        "prod_4: 3",
        "and 3 more",
    ):
        assert said in text
    assert "prod_5" not in text


def test_a_reminder_says_why_it_comes() -> None:
    """What was snoozed and still lasts says so."""
    reminded = replace(alert(LOW), snoozed_until=NOW)
    assert "snoozed until 24 Nov 2026, 09:06 UTC, and it still lasts" in mail_of(reminded).text


def test_commands_look_like_commands() -> None:
    """What stands between backticks in our words is code in HTML, and no backtick is left there."""
    mail = mail_of(alert(AlertKind.JOB_FAILED, "`<b>`", {"job": "`<b>recover</b>`"}))
    assert "stocksync jobs run NAME</code>" in mail.html
    assert "`stocksync jobs run NAME`" in re.sub(r"\s+", " ", mail.text)
    assert "<b>recover" not in mail.html


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
