from __future__ import annotations

import itertools

from services.backoffice.supervisor.restarts import LONGEST_DELAY, STEADY_SECONDS, GiveUp, Restart, after_end


def test_a_first_end_is_followed_by_a_quick_restart() -> None:
    """A process that ends for the first time is started again within a second."""
    decision = after_end(-9, ran_for=1.0, failures=0, proven=False)
    assert isinstance(decision, Restart)
    assert decision.failures == 1
    assert 0 < decision.delay < 1


def test_delays_grow_up_to_a_limit() -> None:
    """Who ends again and again waits longer each time, never longer than the limit."""
    decisions = [after_end(1, ran_for=0.1, failures=failures, proven=False) for failures in range(200)]
    delays = [decision.delay for decision in decisions if isinstance(decision, Restart)]
    assert len(delays) == 200
    assert all(earlier <= later for earlier, later in itertools.pairwise(delays))
    assert delays[-1] == LONGEST_DELAY


def test_a_steady_process_starts_counting_anew() -> None:
    """Who ran for long before it ended is restarted as if it were the first time."""
    again = after_end(1, ran_for=STEADY_SECONDS, failures=9, proven=True)
    assert again == after_end(1, ran_for=0.0, failures=0, proven=True)


def test_a_clean_end_is_an_end_too() -> None:
    """A service that ends with 0 without being asked is restarted: nobody else would do its work."""
    assert isinstance(after_end(0, ran_for=5.0, failures=0, proven=True), Restart)


def test_a_wrong_setting_is_final() -> None:
    """Exit code 2 says that a setting is wrong, and no restart mends that."""
    assert after_end(2, ran_for=0.1, failures=0, proven=False) == GiveUp(2)


def test_what_once_ran_is_started_again_whatever_it_says() -> None:
    """Exit code 2 of a process after all of them ran is no wrong setting: the others are not stopped for it."""
    assert isinstance(after_end(2, ran_for=0.1, failures=0, proven=True), Restart)
