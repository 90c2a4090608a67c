"""What is said of each kind of alert: what happened and what to do next, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.vocabulary import AlertKind


class Tone(StrEnum):
    """How grave it looks."""

    GRAVE = "grave"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Words:
    """A kind's `heading`, its name in a subject line, what happened, what to do.

    The name is `brief`, `many` where it reads otherwise for several, and `counted` or not.
    `over` says what its end is; empty where an end is no news, or does not end what people have to do.
    """

    heading: str
    brief: str
    happened: str
    do: str
    tone: Tone = Tone.GRAVE
    over: str = ""
    many: str = ""
    counted: bool = True


_RESTOCK = (
    "Once goods came in: `stocksync restock PRODUCT SIZE +N`. Or in Stripe's Dashboard: open the product, edit its "
    "metadata and type the new number into the field named here. stocksync keeps the sales that happen meanwhile."
)

WORDS: Final[Mapping[AlertKind, Words]] = {
    AlertKind.STRIPE_REFUSED: Words(
        "Stripe refuses the API key",
        "Stripe refuses the key",
        "Stripe answered that the API key may not read or write, so what needs that waits, such as writing stock "
        "numbers. Sales are still counted.",
        "Look at the key in Stripe's Dashboard under Developers, API keys: it may have been revoked, or lack a "
        "permission, which `stocksync doctor` names. stocksync goes on by itself as soon as Stripe accepts it.",
        over="Stripe accepts the API key again",
        counted=False,
    ),
    AlertKind.BROKER_REFUSED: Words(
        "The message queue refuses webhooks",
        "message queue refuses webhooks",
        "Webhooks from Stripe could not be queued and were answered with an error. Stripe sends them again, "
        "for up to three days, so nothing is lost yet.",
        "Look at the message queue: it may be full, out of disk or memory, or miss a queue.",
        over="the message queue has refused no webhook for an hour",
        counted=False,
    ),
    AlertKind.WEBHOOK_SILENCE: Words(
        "No webhooks arrive",
        "no webhooks arrive",
        "Stripe shows sales, but told of none for hours. stocksync finds such sales by itself, only later: until "
        "then the shop may sell what is gone.",
        "Look at the webhook endpoint in Stripe's Dashboard under Developers, Webhooks: its address, whether it is "
        "enabled, and what Stripe was answered. `stocksync doctor` looks at the same things.",
        over="webhooks arrive again",
        counted=False,
    ),
    AlertKind.DEAD_LETTER: Words(
        "Messages that could not be handled",
        "dead letters",
        "Messages of these queues were tried many times, or can't be handled at all, and lie aside. What they tell, "
        "such as a sale, is not booked. Their neighbours went on.",
        "`stocksync dead-letters list` shows each message with its reason. Once that is seen to, "
        "`stocksync dead-letters replay --all` has them handled again; nothing is booked twice.",
        over="no message is left aside",
        counted=False,
    ),
    AlertKind.JOB_FAILED: Words(
        "A scheduled job failed",
        "job failed",
        "This work could not be done. It runs again when it is next due.",
        "Read the reason. Once its cause is mended, `stocksync jobs run NAME` runs it at once.",
        over="the job has run again",
        many="jobs failed",
    ),
    AlertKind.OVERSOLD: Words(
        "Sold more than there was",
        "oversold",
        "These were paid for, but the stock was not there any more.",
        "Deliver from another source, or refund: search for the session's id in Stripe's Dashboard to find the "
        "payment and the buyer.",
    ),
    AlertKind.UNPLACED_SALE: Words(
        "Paid, but not taken off any stock",
        "unplaced sale",
        "These lines were paid for, and stocksync could not tell which product and size they are.",
        "Search for the session's id in Stripe's Dashboard to see what was bought. `stocksync unplaced list` shows the "
        "numbers of these lines; `stocksync unplaced place NUMBER PRODUCT SIZE` takes one off that stock (with "
        "`--always` such lines are placed by themselves from then on), `stocksync unplaced dismiss NUMBER` says that "
        "it has none.",
        over="somebody said what it was",
        many="unplaced sales",
    ),
    AlertKind.FINDING: Words(
        "What does not add up",
        "finding",
        "What Stripe shows differs from what the ledger says, for the reason given with each.",
        "Do what each line says first, then type its command. `stocksync findings list` shows all that is open.",
        Tone.WARNING,
        over="it adds up again",
        many="findings",
    ),
    AlertKind.REFUND_PROPOSED: Words(
        "Refunded: did the goods come back?",
        "refund to look at",
        "Money went back to these buyers. Stock was not changed, because a refund does not say what came back.",
        "Put what came back into stock again, or say that nothing did. `stocksync refunds list` shows the lines; "
        "where it was not what is proposed, add `--units LINE=UNITS`.",
        Tone.WARNING,
        many="refunds to look at",
    ),
    AlertKind.DISPUTED: Words(
        "Disputed: did the goods leave?",
        "disputed payment",
        "The banks of these buyers took money back. Stock was not changed, because a dispute does not say where the "
        "goods are.",
        "Answer the bank in time: search for the dispute's id in Stripe's Dashboard. Put what never left or came "
        "back into stock again, or say that nothing did. `stocksync refunds list` shows the lines; where it was not "
        "what is proposed, add `--units LINE=UNITS`.",
        Tone.WARNING,
        many="disputed payments",
    ),
    AlertKind.SALE_RECOVERED: Words(
        "Sales that no webhook told of",
        "recovered sale",
        "These were paid, and no webhook arrived. They were found in Stripe and are taken off the stock now.",
        "Nothing, if this happens once. If it happens again, look at the webhook endpoint: `stocksync doctor`.",
        Tone.WARNING,
        many="recovered sales",
    ),
    AlertKind.QUARANTINE: Words(
        "Stock numbers that no longer make sense",
        "in quarantine",
        "stocksync does not write these numbers, so as not to overwrite what somebody may have meant. Sales are "
        "still counted.",
        "Open the product's metadata in Stripe's Dashboard and do what its line says. A number that can't be read only "
        "has to be typed anew, plain, such as 12. `stocksync takeover` takes what stands there then for right: sales "
        "until then count as taken off already.",
        over="no longer in quarantine",
    ),
    AlertKind.LOGINS_BLOCKED: Words(
        "Somebody tries passwords at the web pages",
        "somebody tries passwords",
        "Wrong passwords were given again and again, so for a while none is looked at for that name, or from that "
        "address; each further one makes that longer.",
        "If it was you or a colleague: wait as the page says, or set a new password with `stocksync users add NAME` "
        "where stocksync runs, which lets that name in again at once. If it was nobody you know: see to it that the "
        "pages are not reached from outside; the log says from which address (`logins_blocked`).",
        Tone.WARNING,
        over="nobody has been blocked at the web pages for an hour",
        counted=False,
    ),
    AlertKind.LIVEMODE_MISMATCH: Words(
        "Test and live are mixed up",
        "test and live mixed up",
        "An event of the other mode arrived and was refused: live where test is expected, or the reverse.",
        "Compare the webhook endpoint and its secret with the API key: both must be of the same mode. Where the "
        "webhook door runs without STRIPE_API_KEY, it takes test events unless `STRIPE_LIVEMODE=true`.",
        Tone.WARNING,
        over="nothing of the other mode has arrived for a day",
        counted=False,
    ),
    AlertKind.UNKNOWN_ACCOUNT: Words(
        "Events of an unknown Stripe account",
        "unknown account",
        "Events of a Stripe account that is not served here arrived, and were ignored.",
        "If the account is yours, add it to the settings. If not, take this address out of its webhook endpoints.",
        Tone.WARNING,
        over="no such events have arrived for a day",
        many="unknown accounts",
    ),
    AlertKind.OUT_OF_STOCK: Words(
        "Out of stock",
        "out of stock",
        "Nothing is left of these, and the shop can sell no more.",
        _RESTOCK,
        over="back in stock",
    ),
    AlertKind.LOW_STOCK: Words(
        "Low stock",
        "low stock",
        "These are at or below their threshold.",
        _RESTOCK,
        Tone.WARNING,
        over="restocked",
    ),
}
