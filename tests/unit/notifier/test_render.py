from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifier.mail import Letterhead, Mail
from services.notifier.message import WIRE, addresses, compose
from shared.alerts import JSON, product_facts, stock_facts
from shared.vocabulary import AccountKey, AlertKind
from tests.support.anything import ANYTHING
from tests.unit.notifier.claimed import SHIRT, TEST, alert, mail_of, over, stock

LOW, OUT = AlertKind.LOW_STOCK, AlertKind.OUT_OF_STOCK
LETTERHEAD = Letterhead("stocksync <bot@example.com>", ("a@example.com", "b@example.com"))
NOW = datetime(2026, 11, 24, 9, 6, tzinfo=UTC)


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
