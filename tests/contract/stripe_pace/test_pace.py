from __future__ import annotations

from bisect import bisect_left
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

import pytest

from shared import clock
from shared.stripe_api.answers import StripeRefused
from shared.stripe_api.pace import ALL, BURST, Limits, Pace, Turn
from tests.contract.stripe_pace.conftest import MakePace

USUAL = Limits(per_endpoint=20, overall=80)
NONE = Limits(per_endpoint=1e9, overall=1e9)
LATENCY = 0.05  # seconds between a reservation and this test's look at its clock, at most


def due(pace: Pace, endpoint: str) -> float:
    """When a call that asks now may go."""
    turn = pace.take(endpoint, write=False)
    return clock.monotonic() + turn.wait


def reserved(pace: Pace, endpoints: list[str], threads: int = 8) -> dict[str, list[float]]:
    """When calls to `endpoints`, asked for by several callers at once and as fast as they can, may go."""
    with ThreadPoolExecutor(threads) as callers:
        dues = list(zip(endpoints, callers.map(partial(due, pace), endpoints), strict=True))
    return {name: sorted(at for endpoint, at in dues if endpoint == name) for name in set(endpoints)}


def busiest_second(times: list[float]) -> int:
    """The most calls within any one second."""
    return max(bisect_left(times, at + 1 - LATENCY) - n for n, at in enumerate(times))


def waited(turn: Turn) -> Turn:
    """`turn`, once it has come."""
    Event().wait(turn.wait)
    return turn


def test_no_second_sees_more_calls_than_stripe_allows(make_pace: MakePace) -> None:
    """Greedy callers of six endpoints stay within 20 a second each, a small burst apart, and 80 in all."""
    found = reserved(make_pace(USUAL), [f"GET {n % 6}" for n in range(240)])
    assert max(busiest_second(times) for times in found.values()) <= 20 + BURST
    assert busiest_second(sorted(at for times in found.values() for at in times)) <= 80 + 1


def test_without_limits_they_would_be_far_over(make_pace: MakePace) -> None:
    """The negative control: with the limits out of the way the same callers go all at once."""
    found = reserved(make_pace(NONE), [f"GET {n % 6}" for n in range(240)])
    assert busiest_second(sorted(at for times in found.values() for at in times)) > 100


def test_an_idle_endpoint_does_not_wait(make_pace: MakePace) -> None:
    """After a pause a few calls go at once."""
    pace = make_pace(USUAL)
    assert [pace.take("GET x", write=False).wait <= LATENCY for _ in range(BURST)] == [True] * BURST


def test_turns_are_handed_out_in_the_order_of_asking(make_pace: MakePace) -> None:
    """A product that asks once gets its turn right behind what a hungry product asked for before."""
    pace = make_pace(USUAL)
    before = [due(pace, "GET products/id") for _ in range(30)]
    modest = due(pace, "GET products/id")
    after = [due(pace, "GET products/id") for _ in range(30)]
    assert max(before) < modest < min(after)
    assert modest - max(before) < 0.05 + LATENCY


def test_a_crowded_endpoint_does_not_hold_up_another(make_pace: MakePace) -> None:
    """While one endpoint's callers wait for seconds, a call to another goes at once."""
    pace = make_pace(USUAL)
    crowd = [due(pace, "GET events") for _ in range(80)]
    assert max(crowd) - clock.monotonic() > 2
    assert pace.take("GET products/id", write=False).wait < 0.1


def test_fault_75_after_a_429_everybody_leaves_the_endpoint_alone(make_pace: MakePace) -> None:
    """No call to the endpoint goes for about a second, others do; neighbours' 429s do not make it longer."""
    pace = make_pace(USUAL)
    for _ in range(5):
        pace.slow("GET x", 0)
    held = pace.take("GET x", write=False)
    assert 0.7 < held.wait < 1.3
    assert held.slowed
    other = pace.take("GET y", write=False)
    assert other.wait < LATENCY
    assert not other.slowed


def test_a_back_off_of_all_calls_holds_every_endpoint(make_pace: MakePace) -> None:
    """Where Stripe's limit for the whole account is hit, nobody calls."""
    pace = make_pace(USUAL)
    pace.slow(ALL, 0)
    assert pace.take("GET x", write=False).wait > 0.7
    assert pace.take("POST y", write=True).wait > 0.7


def test_the_back_off_is_at_least_as_long_as_stripe_asked_for(make_pace: MakePace) -> None:
    """`Retry-After` is honoured."""
    pace = make_pace(USUAL)
    pace.slow("GET x", 7)
    assert 6.5 < pace.take("GET x", write=False).wait < 7.5


def test_the_back_off_doubles_and_ends_with_success(make_pace: MakePace) -> None:
    """A 429 after a back-off makes the next one twice as long; each success takes one step back."""
    pace = make_pace(USUAL)
    pace.slow("GET x", 0)
    first = waited(pace.take("GET x", write=False))
    pace.slow("GET x", 0)
    second = waited(pace.take("GET x", write=False))
    assert first.slowed
    assert 1.5 < second.wait < 2.5
    for _ in range(2):
        pace.accept(second)
    assert not pace.take("GET x", write=False).slowed


def test_no_burst_follows_a_back_off(make_pace: MakePace) -> None:
    """Until a call succeeded again, calls go one by one."""
    pace = make_pace(USUAL)
    pace.slow("GET x", 0)
    dues = [due(pace, "GET x") for _ in range(5)]
    assert dues[-1] - dues[0] > 4 * 0.05 - LATENCY


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
    pace = make_pace(Limits(per_endpoint=20, overall=80, probe_seconds=0.5))
    pace.refuse(ALL, "refused")
    Event().wait(0.55)

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
