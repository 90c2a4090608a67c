"""The question that a refund or a dispute leads to, as the alert that puts it to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.stock_worker.returns import Likeness, Proposal
from shared import money
from shared.alerts import Facts, NewAlert
from shared.stripe_api.money_back import Dispute, MoneyBack
from shared.vocabulary import AccountKey, AlertKind, LineItemId, SessionId, Size

ANSWERABLE: Final = "needs_response"
"""The state of a dispute that the bank takes an answer to."""


@dataclass(frozen=True, slots=True)
class AskedLine:
    """A line that people may say came back; `name` is the product's, or its id, `sold` are units."""

    line: LineItemId
    name: str
    size: Size
    sold: int

    def __str__(self) -> str:
        what = ", ".join(filter(None, (self.name, self.size)))
        return f"line {self.line}: {what}, {self.sold} sold"


def asking(
    account: AccountKey, back: MoneyBack, session: SessionId, made: Proposal, *, lines: Sequence[AskedLine]
) -> NewAlert:
    """Ask what came back of the `lines` of a session, where `made` is likely."""
    amount = money.readable(back.amount, back.currency)
    facts: Facts = {
        "session": session,
        "dismiss": f"stocksync refunds dismiss {back.id}",
        **_accepting(back, made, lines),
    }
    guess = _guess(made, sum(line.sold for line in lines))
    if not isinstance(back, Dispute):
        told = {**facts, "reason": f"{amount} went back: {guess}"}
        return NewAlert(account, AlertKind.REFUND_PROPOSED, back.id, told)
    due = {"due_by": back.due_by.isoformat()} if back.due_by and back.status == ANSWERABLE else {}
    why = f" (reason: {back.reason})" if back.reason else ""
    told = {**facts, "reason": f"{amount} were disputed{why}: {guess}", **due}
    return NewAlert(account, AlertKind.DISPUTED, back.id, told)


def _accepting(back: MoneyBack, made: Proposal, lines: Sequence[AskedLine]) -> Facts:
    """What to type where goods came back; where no units are likely, the lines to choose from."""
    command = f"stocksync refunds accept {back.id}"
    if any(made.units):
        return {"command": command}
    return {"command": f"{command} --units LINE=UNITS", "examples": [str(line) for line in lines]}


def _guess(made: Proposal, sold: int) -> str:
    units = sum(made.units)
    match made.likeness:
        case Likeness.ALL if units:
            return "nothing is left of what was paid"
        case Likeness.ALL:
            return "nothing is left of what was paid, and all units came back or are asked about already"
        case Likeness.EXACT:
            return f"the amount is that of {units} of {sold} units"
        case Likeness.LIKELY:
            return f"the amount may be that of {units} of {sold} units"
        case Likeness.UNKNOWN:
            return "the amount is that of no units"
