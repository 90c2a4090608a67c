from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Event

import pytest

from shared import clock
from shared.stripe_api.answers import StripeRefused
from shared.stripe_api.pace import ALL, BURST, Limits, Pace, Turn
from tests.contract.stripe_pace.conftest import MakePace

USUAL = Limits(per_endpoint=20, overall=80)
NONE = Limits(per_endpoint=1e9, overall=1e9)
STEP = 1 / USUAL.per_endpoint  # seconds from a turn to the next one of the same endpoint
ROUNDING = 0.005  # seconds


@dataclass(frozen=True, slots=True)
class Due:
    """When a call may go, as far as a look at the clock before and after its reservation tells."""

    earliest: float
    latest: float


def due(pace: Pace, endpoint: str) -> Due:
    """When a call that asks now may go."""
    before = clock.monotonic()
    turn = pace.take(endpoint, write=False)
    return Due(before + turn.wait, clock.monotonic() + turn.wait)


def held(pace: Pace, endpoint: str, began: float, seconds: float) -> bool:
    """Whether a back-off that began after `began` holds a call for about so many seconds."""
    wait = pace.take(endpoint, write=False).wait
    return wait < seconds * 1.3 and wait + clock.monotonic() - began > seconds * 0.7


def reserved(pace: Pace, endpoints: list[str], threads: int = 8) -> dict[str, list[Due]]:
    """When calls to `endpoints`, asked for by several callers at once and as fast as they can, may go."""
    with ThreadPoolExecutor(threads) as callers:
        dues = list(zip(endpoints, callers.map(partial(due, pace), endpoints), strict=True))
    return {name: [at for endpoint, at in dues if endpoint == name] for name in set(endpoints)}


def busiest_second(dues: list[Due]) -> int:
    """The most calls that are within one second for certain, however slow the machine is."""
    return max(
        sum(first.earliest <= due.earliest and due.latest < first.earliest + 1 - ROUNDING for due in dues)
        for first in dues
    )


def waited(turn: Turn) -> Turn:
    """`turn`, once it has come."""
    Event().wait(turn.wait)
    return turn


def test_no_second_sees_more_calls_than_stripe_allows(make_pace: MakePace) -> None:
    """Greedy callers of six endpoints stay within 20 a second each, a small burst apart, and 80 in all."""
    found = reserved(make_pace(USUAL), [f"GET {n % 6}" for n in range(240)])
    assert max(busiest_second(times) for times in found.values()) <= 20 + BURST
    assert busiest_second([at for times in found.values() for at in times]) <= 80 + 1


def test_without_limits_they_would_be_far_over(make_pace: MakePace) -> None:
    """The negative control: with the limits out of the way the callers of one endpoint go all at once."""
    found = reserved(make_pace(NONE), ["GET x"] * 240)
    assert busiest_second(found["GET x"]) > 20 + BURST


def test_an_idle_endpoint_does_not_wait(make_pace: MakePace) -> None:
    """After a pause a few calls go at once."""
    pace = make_pace(USUAL)
    assert [pace.take("GET x", write=False).wait <= STEP for _ in range(BURST)] == [True] * BURST


def test_turns_are_handed_out_in_the_order_of_asking(make_pace: MakePace) -> None:
    """A product that asks once gets its turn right behind what a hungry product asked for before."""
    pace = make_pace(USUAL)
    before = [due(pace, "GET products/id") for _ in range(30)]
    modest = due(pace, "GET products/id")
    after = [due(pace, "GET products/id") for _ in range(30)]
    assert max(one.earliest for one in before) < modest.latest
    assert modest.earliest < min(one.latest for one in after)
    assert modest.earliest - max(one.latest for one in before) < STEP + ROUNDING


def test_a_crowded_endpoint_does_not_hold_up_another(make_pace: MakePace) -> None:
    """While one endpoint's callers wait for seconds, a call to another goes at once."""
    pace = make_pace(USUAL)
    crowd = [pace.take("GET events", write=False).wait for _ in range(160)]
    assert crowd[-1] > 2
    assert pace.take("GET products/id", write=False).wait < 0.1


def test_fault_75_after_a_429_everybody_leaves_the_endpoint_alone(make_pace: MakePace) -> None:
    """No call to the endpoint goes for about a second, others do; neighbours' 429s do not make it longer."""
    pace, began = make_pace(USUAL), clock.monotonic()
    for _ in range(5):
        pace.slow("GET x", 0)
    assert held(pace, "GET x", began, 1)
    assert pace.take("GET x", write=False).slowed
    other = pace.take("GET y", write=False)
    assert other.wait < STEP
    assert not other.slowed


def test_a_back_off_of_all_calls_holds_every_endpoint(make_pace: MakePace) -> None:
    """Where Stripe's limit for the whole account is hit, nobody calls."""
    pace, began = make_pace(USUAL), clock.monotonic()
    pace.slow(ALL, 0)
    assert held(pace, "GET x", began, 1)
    assert held(pace, "GET y", began, 1)


def test_the_back_off_is_at_least_as_long_as_stripe_asked_for(make_pace: MakePace) -> None:
    """`Retry-After` is honoured."""
    pace, began = make_pace(USUAL), clock.monotonic()
    pace.slow("GET x", 7)
    wait = pace.take("GET x", write=False).wait
    assert wait < 7.5
    assert wait + clock.monotonic() - began > 6.5


def test_the_back_off_doubles_and_ends_with_success(make_pace: MakePace) -> None:
    """A 429 after a back-off makes the next one twice as long; each success takes one step back."""
    pace = make_pace(USUAL)
    pace.slow("GET x", 0)
    first = waited(pace.take("GET x", write=False))
    began = clock.monotonic()
    pace.slow("GET x", 0)
    second = waited(pace.take("GET x", write=False))
    assert first.slowed
    assert second.wait < 2.5
    assert clock.monotonic() - began > 1.5
    for _ in range(2):
        pace.accept(second)
    assert not pace.take("GET x", write=False).slowed


def test_no_burst_follows_a_back_off(make_pace: MakePace) -> None:
    """Until a call succeeded again, calls go one by one."""
    pace = make_pace(USUAL)
    pace.slow("GET x", 0)
    dues = [due(pace, "GET x") for _ in range(5)]
    assert dues[-1].latest - dues[0].earliest > 4 * STEP - ROUNDING


def test_fault_87_a_refused_key_pauses_all_calls(make_pace: MakePace) -> None:
    """After a 401 nobody gets a turn."""
    pace = make_pace(USUAL)
    pace.refuse(ALL, "refused (401)")
    for endpoint in ("GET x", "POST y"):
        with pytest.raises(StripeRefused, match="401"):
            pace.take(endpoint, write=False)


def test_fault_87_a_missing_permission_pauses_only_what_it_is_missing_for(make_pace: MakePace) -> None:
    """After a 403 on one endpoint the others go on."""
    pace = make_pace(USUAL)
    pace.refuse("POST x", "refused (403)")
    with pytest.raises(StripeRefused, match="403"):
        pace.take("POST x", write=True)
    assert not pace.take("GET x", write=False).probe


def test_fault_87_one_caller_probes_and_its_success_ends_the_pause(make_pace: MakePace) -> None:
    """After a while exactly one of many callers gets a turn; once it was accepted, all do."""
    pace = make_pace(Limits(per_endpoint=20, overall=80, probe_seconds=1.5))
    pace.refuse(ALL, "refused")
    Event().wait(1.55)

    def asked(_: int) -> Turn | None:
        try:
            return pace.take("GET x", write=False)
        except StripeRefused:
            return None

    with ThreadPoolExecutor(8) as callers:
        turns = [turn for turn in callers.map(asked, range(16)) if turn is not None]
    assert [turn.probe for turn in turns] == [True]
    pace.accept(turns[0])
    assert not pace.take("GET x", write=False).probe
