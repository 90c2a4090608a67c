"""Whatever JSON can hold, for properties that must stand whatever they are given."""

from __future__ import annotations

from hypothesis import strategies as st

from shared.alerts import JSON

ANYTHING: st.SearchStrategy[JSON] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
EVENT_FIELDS = ("object", "id", "type", "created", "livemode", "account", "data", "request")
"""The fields of one of Stripe's events."""
