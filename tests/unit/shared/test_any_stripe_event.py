from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.messages import (
    decode,
    encode,
)
from shared.stripe_events import UNDERSTOOD, Surprising, translate
from tests.unit.shared.happened import product, session

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("object", "id", "type", "created", "livemode", "account", "data", "request")


@given(kind=st.sampled_from(sorted(UNDERSTOOD)), field=st.sampled_from(FIELDS), value=JSON)
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


@given(value=JSON)
def test_whatever_a_product_holds_the_decision_is_made_or_named_surprising(value: object) -> None:
    """The same for the object inside."""
    for happened in (product(metadata=value), product(previous={"metadata": value}), product(previous=value)):
        try:
            messages = translate(happened)
        except Surprising:
            continue
        assert isinstance(messages, tuple)
        assert decode(encode(messages[0])) == messages[0]
