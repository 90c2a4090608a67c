from __future__ import annotations

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.outcome import Outcome, Turned
from services.ingest.signature import Verifier
from shared import clock
from tests.unit.ingest.support import OTHER_SECRET, SECRET, signed

BODY = b'{"id": "evt_1"}'
VERIFIER = Verifier((SECRET.encode(),), 300)


def verdict(header: str | None, body: bytes = BODY, verifier: Verifier = VERIFIER) -> Outcome | None:
    """How the check turned the request away; None where it passed."""
    try:
        verifier.check(header, body)
    except Turned as turned:
        return turned.outcome
    return None


def header(body: bytes = BODY, secret: str = SECRET, at: int | None = None) -> str:
    return signed(body, secret, at)["Stripe-Signature"]


def sdk_accepts(value: str, body: bytes) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, value, SECRET, 300)  # pyright: ignore[reportUnknownMemberType] - partly untyped
    except (stripe.SignatureVerificationError, TypeError, UnicodeDecodeError):
        return False
    return True


def test_what_stripe_signed_passes() -> None:
    """A header made by Stripe's own code is accepted."""
    assert verdict(header()) is None


@pytest.mark.parametrize("value", [None, ""])
def test_fault_1_a_missing_signature_is_told_apart_in_the_counters(value: str | None) -> None:
    """No header, or an empty one, counts as missing."""
    assert verdict(value) is Outcome.SIG_MISSING


def test_fault_2_another_secret_does_not_pass() -> None:
    """A signature by a secret that is not ours is refused."""
    assert verdict(header(secret=OTHER_SECRET)) is Outcome.SIG_INVALID


def test_fault_2_another_body_does_not_pass() -> None:
    """A signature proves the very bytes it was made for."""
    assert verdict(header(), BODY + b" ") is Outcome.SIG_INVALID


@pytest.mark.parametrize(
    "value",
    [
        "t={now},v1=é",
        "t={now},v1=",
        "t={now}",
        "t={now},v0={good}",
        "v1={good}",
        "t=,v1={good}",
        "t=-{now},v1={good}",
        "t=+{now},v1={good}",
        "t=0{now},v1={good}",
        "t= {now},v1={good}",
        "t=1_790_000_000,v1={good}",
        "t=١٧٩٠٠٠٠٠٠٠,v1={good}",
        "t=" + "9" * 5000 + ",v1={good}",
        "t={now},v1={good},x=" + "y" * 5000,
        "t",
        "=",
        ",,,",
        "t={now};v1={good}",
        "t={now}, v1={good}",
        "t={now},v1={good}=",
        "t={now},V1={good}",
        "T={now},v1={good}",
        "t={now},v1={upper}",
    ],
)
def test_faults_3_6_7_a_malformed_header_is_refused_and_never_an_error(value: str) -> None:
    """Whatever stands in the header, the answer is a refusal, not an exception of another kind."""
    now = clock.epoch()
    good = header(at=now).partition("v1=")[2]
    assert verdict(value.format(now=now, good=good, upper=good.upper())) is Outcome.SIG_INVALID


def test_fault_8_one_valid_signature_among_several_is_enough() -> None:
    """While Stripe rolls a secret it sends two signatures; ours may be either."""
    now = clock.epoch()
    ours, theirs = header(at=now), header(secret=OTHER_SECRET, at=now)
    assert verdict(f"{theirs},{ours.partition(',')[2]}") is None
    assert verdict(f"{ours},{theirs.partition(',')[2]}") is None


def test_fault_8_either_configured_secret_passes_until_it_is_removed() -> None:
    """Old and new secret are both good while both are configured."""
    both = Verifier((SECRET.encode(), OTHER_SECRET.encode()), 300)
    assert verdict(header(), verifier=both) is None
    assert verdict(header(secret=OTHER_SECRET), verifier=both) is None
    assert verdict(header(secret=OTHER_SECRET)) is Outcome.SIG_INVALID


@pytest.mark.parametrize("age", [302, 3600, -302, -3600])
def test_fault_9_a_time_too_far_off_in_either_direction_is_stale(age: int) -> None:
    """A valid signature is refused where its time is out of tolerance, past or future."""
    assert verdict(header(at=clock.epoch() - age)) is Outcome.SIG_STALE


@pytest.mark.parametrize("age", [298, -298])
def test_fault_9_a_time_within_tolerance_passes(age: int) -> None:
    """Clocks may differ by the tolerance."""
    assert verdict(header(at=clock.epoch() - age)) is None


def test_only_who_knows_the_secret_learns_that_a_time_is_stale() -> None:
    """A forged header with an old time is refused as forged."""
    assert verdict(header(secret=OTHER_SECRET, at=1)) is Outcome.SIG_INVALID


PIECES = st.sampled_from(
    ["t", "v1", "v0", "=", ",", "0", "1", "-", "_", " ", "é", "{now}", "{good}", "{bad}"]
)


@given(body=st.text().map(lambda text: text.encode("utf-8", "ignore")), pieces=st.lists(PIECES, max_size=12))
def test_what_passes_here_passes_the_sdk(body: bytes, pieces: list[str]) -> None:
    """No header made of plausible pieces is accepted that Stripe's SDK refuses."""
    now = clock.epoch()
    good, bad = (header(body, secret, now).partition("v1=")[2] for secret in (SECRET, OTHER_SECRET))
    value = "".join(pieces).format(now=now, good=good, bad=bad)
    if verdict(value, body) is None:
        assert sdk_accepts(value, body)


@given(
    body=st.text().map(lambda text: text.encode("utf-8", "ignore")),
    age=st.integers(-298, 298),
    others=st.lists(st.sampled_from(["v1=", "v1=00", "v0=1", "x=y", "x"]), max_size=3),
    first=st.booleans(),
)
def test_what_stripe_sends_passes_both(body: bytes, age: int, others: list[str], first: bool) -> None:
    """Every canonical header is accepted here and, unless it is of the future, by the SDK."""
    time, _, good = header(body, at=clock.epoch() - age).partition(",")
    value = ",".join([time, good, *others] if first else [time, *others, good])
    assert verdict(value, body) is None
    assert sdk_accepts(value, body)


@given(header_value=st.text(max_size=80), body=st.binary(max_size=80))
def test_random_bytes_are_refused_by_both(header_value: str, body: bytes) -> None:
    """Noise is refused here as the SDK refuses it."""
    assert verdict(header_value, body) in {Outcome.SIG_MISSING, Outcome.SIG_INVALID}
    assert not sdk_accepts(header_value, body)
