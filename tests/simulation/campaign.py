"""Many schedules over all cores, and the shortest trace of one that fails."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from functools import partial

import structlog

from tests.simulation.checks import Violation
from tests.simulation.crew import Switches
from tests.simulation.world import SLANG, STEPS, World

CHUNK = 250
_EVERY = 20_000


def quiet() -> None:
    """Log nothing from now on: a schedule has its trace."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _player() -> None:
    """A process that only plays: a schedule's rubbish may wait for the next one's, loggers are looked up once."""
    quiet()
    structlog.configure(cache_logger_on_first_use=True, wrapper_class=structlog.get_config()["wrapper_class"])
    gc.freeze()
    gc.disable()  # a chunk's rubbish is collected at its end


def play(
    seed: int,
    steps: int = STEPS,
    switches: Switches | None = None,
    odd: float = 1,
    *,
    slang: float = SLANG,
) -> str:
    """What is wrong at the end of the schedule `seed`, cut off after `steps`; '' where all holds."""
    try:
        World.of(seed, switches, odd=odd, slang=slang).run(steps)
    except Violation as violation:
        return str(violation)
    except Exception as error:  # noqa: BLE001 - whatever the code raises is a finding
        return f"{type(error).__name__}: {error}"
    return ""


def shortest(seed: int, switches: Switches | None = None, odd: float = 1, *, slang: float = SLANG) -> str:
    """The trace of `seed`, cut off after as few steps as make it fail; '' where it does not."""
    for steps in range(STEPS + 1):
        what = play(seed, steps, switches, odd, slang=slang)
        if what:
            world = World.of(seed, switches, traced=True, odd=odd, slang=slang)
            try:
                world.run(steps)
            except Exception:  # noqa: BLE001 - known already
                return "\n".join([*world.trace, what, f"(seed {seed}, {steps} steps)"])
    return ""


def campaign(
    seeds: Iterable[int], *, progress: bool = False, odd: float = 1, slang: float = SLANG
) -> dict[int, str]:
    """What is wrong with which of `seeds`, played on all cores in worlds of so much `odd` and `slang` (`World.of`)."""
    failures: dict[int, str] = {}
    done = 0
    with multiprocessing.get_context("fork").Pool(os.cpu_count(), initializer=_player) as pool:
        for number, found in pool.imap_unordered(partial(_chunk, odd=odd, slang=slang), _chunks(list(seeds))):
            failures.update(found)
            for seed, what in found.items():
                print(f"seed {seed}: {what}", flush=True)
            done += number
            if progress and done // _EVERY != (done - number) // _EVERY:
                print(f"{done:,} schedules, {len(failures)} violations", flush=True)
    return failures


def _chunks(seeds: list[int]) -> Iterator[list[int]]:
    return (seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK))


def _chunk(seeds: list[int], odd: float, slang: float) -> tuple[int, dict[int, str]]:
    found = {seed: what for seed in seeds if (what := play(seed, odd=odd, slang=slang))}
    gc.collect()
    return len(seeds), found
