"""Questions about idempotency keys: the replay, the fence, requests that meet."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from services.backoffice.operations.probe.question import Bench, Question, Seen, seen, told
from shared.stripe_api.plain import Answer

MISMATCH: Final = "idempotency_error"
BAD, NOT_FOUND, CONFLICT, TOO_MANY = 400, 404, 409, 429
AT_ONCE: Final = 6


def _replay(bench: Bench) -> Seen:
    first, second = (bench.write("replay", probe_a="1") for _ in range(2))
    same = first.done and second.done and first.body == second.body
    return seen(f"{told(first)}, then {told(second)}", expected=same and "replayed" in told(second))


def _other_parameters(bench: Bench) -> Seen:
    bench.write("mismatch", probe_b="1")
    answer = bench.write("mismatch", probe_b="2")
    return seen(
        f"{told(answer)}, the value is {bench.shown().get('probe_b')}",
        expected=_mismatch(answer) and bench.shown().get("probe_b") == "1",
    )


def _spent(bench: Bench) -> Seen:
    fence = bench.write("fence")
    late = bench.write("fence", probe_late="1")
    executed = "probe_late" in bench.shown()
    return seen(
        f"{told(fence)} to the empty one, {told(late)} to the original, which was {'' if executed else 'not '}executed",
        expected=fence.done and _mismatch(late) and not executed,
    )


def _empty(bench: Bench) -> Seen:
    before = bench.shown()
    answer = bench.write("empty")
    same = bench.shown() == before
    return seen(
        f"{told(answer)}, the metadata is {'the same' if same else 'another'}", expected=answer.done and same
    )


def _other_object(bench: Bench) -> Seen:
    bench.write("object", probe_c="1")
    answer = bench.api.post(f"products/prod_stocksyncprobe{bench.run}", {}, bench.key("object"))
    return seen(told(answer), expected=_mismatch(answer))


def _in_flight(bench: Bench) -> Seen:
    answers = _at_once([lambda: bench.write("flight", probe_d="1")] * 2)
    statuses = sorted(answer.status for answer in answers)
    fine = statuses == [200, CONFLICT] or (
        statuses == [200, 200] and any("replayed" in told(a) for a in answers)
    )
    return seen(" and ".join(told(answer) for answer in answers), expected=fine)


def _meeting(bench: Bench) -> Seen:
    calls = [lambda n=number: bench.write(f"meet-{n}", probe_e=str(n)) for number in range(AT_ONCE)]
    answers = _at_once(calls)
    refused = [answer for answer in answers if answer.status == TOO_MANY]
    reasons = {answer.headers.get("stripe-rate-limited-reason", "no reason") for answer in refused}
    text = f"{len(answers) - len(refused)} × 2xx, {len(refused)} × 429" + (
        f" ({', '.join(reasons)})" if reasons else ""
    )
    return seen(text, expected=all(answer.done or answer.status == TOO_MANY for answer in answers))


def _missing_product(bench: Bench) -> Seen:
    answer = bench.api.post(f"products/prod_stocksyncprobe{bench.run}", {})
    return seen(told(answer), expected=answer.status == NOT_FOUND)


def _mismatch(answer: Answer) -> bool:
    return answer.status == BAD and answer.error.startswith(MISMATCH)


def _at_once(calls: list[Callable[[], Answer]]) -> list[Answer]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


QUESTIONS: Final = (
    Question(
        "same key, same body",
        "the first answer again, marked `Idempotent-Replayed: true`",
        "a write without an answer may be sent again under its key",
        _replay,
    ),
    Question(
        "used key, other body",
        "400 idempotency_error, nothing changed",
        "it proves that the first request did start: the write is SETTLED",
        _other_parameters,
    ),
    Question(
        "fence: spent key, original body",
        "400 idempotency_error, the original is not executed",
        "a write that may still be under way is stopped by spending its key; if it is executed all the same, the fence "
        "protects nothing, and writes must wait until their keys expire",
        _spent,
    ),
    Question(
        "an update without parameters",
        "2xx, nothing changed",
        "it is what the fence is made of; it must be harmless",
        _empty,
    ),
    Question(
        "used key, other object",
        "400 idempotency_error",
        "a key belongs to one write of one product",
        _other_object,
    ),
    Question(
        "one key twice at once",
        "200 and 409, or 200 and its replay",
        "409 leaves the write PENDING; two executions would need another way to tell them apart",
        _in_flight,
    ),
    Question(
        f"{AT_ONCE} writes of one product at once",
        "2xx or 429 only; a 429 about the object names no rate limit",
        "429 means not executed: the write stays PENDING and is sent again",
        _meeting,
    ),
    Question(
        "a write to a product that is not there",
        "404",
        "`stocksync doctor` tells the permission to write from it: 404 with, 403 without",
        _missing_product,
    ),
)
