from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.messages import decode, encode
from shared.stripe_events import UNDERSTOOD, Surprising, translate
from tests.support.anything import ANYTHING, EVENT_FIELDS
from tests.unit.shared.happened import product, session


@given(kind=st.sampled_from(sorted(UNDERSTOOD)), field=st.sampled_from(EVENT_FIELDS), value=ANYTHING)
def test_whatever_a_field_holds_it_is_translated_or_named_surprising(
    kind: str, field: str, value: object
) -> None:
    """No value of any field raises anything else, and every message survives the wire."""
    happened = product(kind) if kind.startswith("product") else session(kind)
    try:
        result = translate({**happened, field: value})
    except Surprising:
        return
    for message in result if isinstance(result, tuple) else ():
        assert decode(encode(message)) == message


@given(value=ANYTHING)
def test_whatever_a_product_holds_the_decision_is_made_or_named_surprising(value: object) -> None:
    """The same for the object inside."""
    for happened in (product(metadata=value), product(previous={"metadata": value}), product(previous=value)):
        try:
            messages = translate(happened)
        except Surprising:
            continue
        assert isinstance(messages, tuple)
        assert decode(encode(messages[0])) == messages[0]
