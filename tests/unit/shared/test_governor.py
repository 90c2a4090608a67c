from __future__ import annotations

import threading
from bisect import bisect_left
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from shared import clock
from shared.stripe_api.governor import BURST, Governor


def calls_within(
    governor: Governor, seconds: float, endpoint: str = "GET x", threads: int = 8
) -> list[float]:
    """When `threads` callers that never rest got their turns."""
    times: list[float] = []
    until = clock.monotonic() + seconds

    def call() -> None:
        while clock.monotonic() < until:
            governor.wait(endpoint)
            times.append(clock.monotonic())

    callers = [threading.Thread(target=call) for _ in range(threads)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return sorted(times)


def busiest_second(times: list[float]) -> int:
    """The most calls within any one second."""
    return max(bisect_left(times, at + 1) - n for n, at in enumerate(times))


def test_no_second_sees_more_calls_than_stripe_allows() -> None:
    """Callers that never rest stay within the rate and its small burst."""
    assert busiest_second(calls_within(Governor(20, 80), 1.5)) <= 20 + BURST + 1


def test_without_the_governor_they_would_be_far_over() -> None:
    """The negative control: an unlimited governor lets the same callers exceed the limit at once."""
    assert busiest_second(calls_within(Governor(1e9, 1e9), 0.1)) > 100


def test_all_endpoints_share_the_overall_limit() -> None:
    """Two endpoints together stay within the limit of all calls."""
    governor = Governor(per_endpoint=1000, overall=20)
    with ThreadPoolExecutor() as callers:
        found = [callers.submit(calls_within, governor, 1.2, endpoint, 2) for endpoint in ("GET a", "GET b")]
        times = sorted(chain.from_iterable(one.result() for one in found))
    assert busiest_second(times) <= 20 + BURST + 1


def test_an_idle_endpoint_does_not_wait() -> None:
    """A single call after a pause goes at once."""
    assert Governor(20, 80).wait("GET x") <= 0
