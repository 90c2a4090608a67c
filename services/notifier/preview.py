"""Sample mails as files, for whoever changes words or templates: `python -m services.notifier.preview FOLDER`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

from services.notifier import preview_report
from services.notifier.decide import Digest, digest, stock_shown
from services.notifier.mail import Mail
from services.notifier.policy import Policy
from services.notifier.render import render
from shared.alerts import (
    Claim,
    ClaimedAlert,
    Facts,
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
from shared.findings import WORDS as CAUSES
from shared.findings import Cause, command
from shared.vocabulary import AccountKey, AlertKind, ProductId, SessionId, Size, Variant

AT: Final = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)
LIVE: Final = AccountKey("self:live")
JUMPER: Final = Variant(ProductId("prod_QkF2w9Zb1mT7sR"), Size("M"))
MUG: Final = Variant(ProductId("prod_R1s8NvA0cXq4Lp"), Size(""))
LONG: Final = "Limited edition organic cotton hoodie, embroidered, with a kangaroo pocket and a zip"
POLICY: Final = Policy()
_numbers = count(1)


def mails() -> dict[str, Mail]:
    """The samples, by name."""
    kinds = [_alert(kind, subject, facts) for kind, subject, facts in _each_kind()]
    stock = [_stock(AlertKind.OUT_OF_STOCK, JUMPER, "Fisherman's jumper", 0), *_low(3)]
    ends = [_ended(alert) for alert in (*kinds, *stock)]
    samples = {
        "every-kind": [*kinds, *stock],
        "one-low": _low(1),
        "over-now": ends,
        "news-and-ends": [*_low(2), *ends[:3]],
        "flood": [*_low(400), *(_ended(alert) for alert in _low(400))],
        "test-mode": [replace(alert, account=AccountKey("self:test")) for alert in (*kinds[:1], *_low(2))],
        "reminder": [replace(_low(1)[0], snoozed_until=AT + timedelta(days=1))],
    }
    return {**{name: _rendered(alerts) for name, alerts in samples.items()}, "report": preview_report.mail()}


def _rendered(alerts: list[ClaimedAlert]) -> Mail:
    found = digest(Claim(AT, tuple(alerts)), POLICY)
    return render(_paced(found), POLICY, domain="example.com")


def _paced(found: Digest) -> Digest:
    paces = (Sold(53, 28), Sold(0, 28), Sold(2, 28), Sold(9, 4))
    wanted = stock_shown(found, POLICY)
    return replace(found, sold={number: paces[n % len(paces)] for n, number in enumerate(wanted)})


def _alert(kind: AlertKind, subject: str, facts: Facts, on_hand: int | None = None) -> ClaimedAlert:
    return ClaimedAlert(next(_numbers), 1, LIVE, kind, subject, facts, AT, None, 1, on_hand)


def _ended(alert: ClaimedAlert) -> ClaimedAlert:
    units = None if alert.on_hand is None else 24
    return replace(alert, resolved_at=AT + timedelta(hours=5), news=False, heard=True, on_hand=units)


def _stock(kind: AlertKind, variant: Variant, name: str, units: int) -> ClaimedAlert:
    return _alert(kind, str(variant), stock_facts(variant, name, on_hand=units, threshold=5), units)


def _low(number: int) -> list[ClaimedAlert]:
    names = ("Mug", LONG, "Mütze 🧢", "<b>Tote bag</b> & more")
    return [
        _stock(
            AlertKind.LOW_STOCK,
            Variant(ProductId(f"prod_{n:014}"), Size(("", "XL", "Größe 42", "one size fits all")[n % 4])),
            names[n % 4],
            n % 5 + 1,
        )
        for n in range(number)
    ]


def _each_kind() -> Iterator[tuple[AlertKind, str, Facts]]:
    """Every kind but those about levels of stock, which have numbers of their own."""
    session = "cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6"
    sales = [OversoldSale(SessionId(f"{session[:-2]}{n:02}"), n % 2 + 1) for n in range(12)]
    yield AlertKind.STRIPE_REFUSED, str(LIVE), product_facts("", "", reason="Stripe answered 401")
    yield AlertKind.BROKER_REFUSED, "session.paid", product_facts("", "")
    yield (
        AlertKind.WEBHOOK_SILENCE,
        str(LIVE),
        {
            "reason": "Stripe shows a sale of 2026-11-24 08:40 UTC;"
            " of webhooks the last came 2026-11-24 02:10 UTC"
        },
    )
    yield AlertKind.DEAD_LETTER, "sales", _dead_letters()
    yield AlertKind.JOB_FAILED, "recover", {
        "job": "recover", "reason": "Stripe's list of events ended early", "planned_at": AT.isoformat(),
    }  # fmt: skip
    yield AlertKind.OVERSOLD, str(JUMPER), oversold_facts(JUMPER, "Fisherman's jumper", sales)
    yield AlertKind.UNPLACED_SALE, f"{session}/li_1", unplaced_facts(
        session, "li_1Qx7", quantity=2, reason="the sale does not say which size", name=LONG,
    )  # fmt: skip
    yield AlertKind.FINDING, str(LIVE), _findings()
    yield from _quarantines()
    yield from _money_back(session)
    yield AlertKind.SALE_RECOVERED, str(LIVE), _recovered(SessionId(session))
    yield AlertKind.LOGINS_BLOCKED, "log in", {
        "reason": "too many wrong passwords for one name, or from one address"
    }  # fmt: skip
    yield AlertKind.LIVEMODE_MISMATCH, "an event of the other mode arrived", product_facts("", "")
    yield AlertKind.UNKNOWN_ACCOUNT, "acct_1OtherShop", product_facts("", "")


def _money_back(session: str) -> Iterator[tuple[AlertKind, str, Facts]]:
    """Refunds that fit units and that fit none, and a dispute."""
    yield AlertKind.REFUND_PROPOSED, "re_3QxZ1a", {
        "session": session,
        "reason": "49.00 EUR went back: the amount is that of 1 of 3 units",
        "command": "stocksync refunds accept re_3QxZ1a",
        "dismiss": "stocksync refunds dismiss re_3QxZ1a",
    }  # fmt: skip
    yield AlertKind.REFUND_PROPOSED, "re_3QxZ1b", {
        "session": session,
        "reason": "5.00 EUR went back: the amount is that of no units",
        "command": "stocksync refunds accept re_3QxZ1b --units LINE=UNITS",
        "dismiss": "stocksync refunds dismiss re_3QxZ1b",
        "examples": ["line li_1Qx7: Fisherman's jumper, M, 2 sold", "line li_1Qx8: Mug, 1 sold"],
    }  # fmt: skip
    yield AlertKind.DISPUTED, "du_1MtJUT2eZvKYlo", {
        "session": session,
        "reason": "49.00 EUR were disputed (reason: fraudulent): the amount is that of 1 of 3 units",
        "command": "stocksync refunds accept du_1MtJUT2eZvKYlo",
        "dismiss": "stocksync refunds dismiss du_1MtJUT2eZvKYlo",
        "due_by": (AT + timedelta(days=9)).isoformat(),
    }  # fmt: skip


def _quarantines() -> Iterator[tuple[AlertKind, str, Facts]]:
    """A size that mends itself once a number is typed, and what only a person can end."""
    for product, reason, told in (
        (
            MUG.product,
            "its number in Stripe is not a plain whole number, so it is left alone",
            {"first": "Type a plain number such as 12 into the metadata field stock. That mends it."},
        ),
        (
            JUMPER.product,
            "another installation of stocksync keeps this product",
            {
                "first": "Stop the other installation. Then check the product's numbers in the Dashboard.",
                "command": f"stocksync takeover {JUMPER.product}",
            },
        ),
    ):
        yield AlertKind.QUARANTINE, product, {**product_facts(product, "Mug", reason=reason), **told}


def _findings() -> Facts:
    """Many findings, of which the first are named."""
    worst = [
        (Cause.NOT_A_NUMBER, "Mug", "", "it shows “3 pcs”"),
        (Cause.EDITED, LONG, "XL", "it shows 7, the ledger 5"),
        (Cause.SIZE_REMOVED, "Fisherman's jumper", "M", "its field is gone; the ledger has 4"),
        (Cause.MARKER_FOREIGN, "Mug", "", "stock_rev is 1:a1b2c3:4:00000000"),
        (Cause.SALE_NOT_BOOKED, "cs_live_a1B2c3", "", "its message lies in the dead letters"),
        (Cause.SALE_UNKNOWN, "cs_live_d4E5f6", "", "no paid session of this id is listed"),
        (Cause.WRITE_LOST, "Mug", "", "it has waited for a sync for 45 minutes"),
    ]
    first = [
        {
            "product": MUG.product,
            "name": name,
            "size": size,
            "cause": CAUSES[cause].happened,
            "detail": detail,
            "first": CAUSES[cause].first,
            "purpose": CAUSES[cause].purpose,
            "command": command(cause, number, MUG.product),
        }
        for number, (cause, name, size, detail) in enumerate(worst, 1)
    ]
    return finding_facts({one["cause"]: 400 // (n * n + 1) for n, one in enumerate(first)}, first)


def _recovered(session: SessionId) -> Facts:
    reasons = {"its webhook was not delivered": 12, "Stripe made no event for it": 2}
    return recovered_facts(Recovered(reasons, session, SessionId(f"{session[:-2]}99"), timedelta(hours=3)))


def _dead_letters() -> Mapping[str, str | int | list[str]]:
    return {
        "queue": "sales",
        "count": 1207,
        "reason": "gave up after 8 attempts: the handler failed: KeyError",
        "oldest": (AT - timedelta(days=2)).isoformat(),
        "examples": [f"message {n:032x}" for n in range(5)],
    }


def write(folder: Path) -> list[Path]:
    """Each sample as `NAME.html` and `NAME.txt`, the subject on the text's first line; the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, mail in mails().items():
        for path, text in (
            (folder / f"{name}.html", mail.html),
            (folder / f"{name}.txt", f"{mail.subject}\n\n{mail.text}"),
        ):
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and the folder
        raise SystemExit("usage: python -m services.notifier.preview FOLDER")
    sys.stdout.writelines(f"{path}\n" for path in write(Path(sys.argv[1])))
