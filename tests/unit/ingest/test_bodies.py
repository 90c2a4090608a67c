from __future__ import annotations

import gzip

import pytest

from services.ingest.body import LARGEST_BODY, SMALL_BODY, Room
from services.ingest.outcome import Turned
from tests.unit.ingest.sending import counted, send
from tests.unit.ingest.support import PATH, Client, MemoryBroker, event, raw, signed


def test_fault_4_a_signed_body_that_is_no_utf_8_is_refused(client: Client, broker: MemoryBroker) -> None:
    """Bytes decide; a wrong encoding is a refusal, not an error."""
    body = b'{"id": "\xff"}'
    assert client.post(PATH, data=body, headers=signed(b"")).status_code == 400
    assert not broker.published


def test_fault_14_a_body_above_the_limit_is_refused(client: Client, broker: MemoryBroker) -> None:
    """One byte more than 1 MiB is 413; 1 MiB is taken."""
    filled = raw(event()).ljust(LARGEST_BODY)
    assert send(client, filled).status_code == 200
    assert send(client, filled + b" ").status_code == 413
    assert len(broker.published) == 1


@pytest.mark.parametrize("length", ["-1", "+5", "1e3", "٣", "9" * 30, " 5"])
def test_fault_14_a_length_that_is_none_is_refused(client: Client, length: str) -> None:
    """A lying length is a client error even where the server in front lets it through."""
    assert client.post(PATH, b"{}", {"Content-Length": length}).status_code == 408


def test_fault_14_a_body_that_ends_early_is_incomplete(client: Client) -> None:
    """Less than was announced is never taken for the whole."""
    body = raw(event())
    answer = client.post(PATH, body, {**signed(body), "Content-Length": str(len(body) + 1)})
    assert answer.status_code == 408


def test_fault_14_an_endless_body_without_a_length_is_cut_at_the_limit(client: Client) -> None:
    """A chunked body counts while it comes."""
    whole, more = bytes(LARGEST_BODY), bytes(LARGEST_BODY + 1)
    chunked = {"Transfer-Encoding": "chunked"}
    assert client.post(PATH, whole, {**signed(b""), **chunked}).status_code == 400
    assert client.post(PATH, more, {**signed(b""), **chunked}).status_code == 413


def test_fault_14_large_bodies_share_their_room_and_small_ones_always_find_theirs() -> None:
    """Beyond the room it is 503, the declared and the growing alike; what is given back is there for others."""
    room = Room(2 * LARGEST_BODY)
    with room.share() as first, room.share() as second, room.share() as third, room.share() as small:
        first(LARGEST_BODY)
        for size in range(0, LARGEST_BODY, 8192):
            second(size)
        with pytest.raises(Turned, match="no_room"):
            third(LARGEST_BODY)
        small(SMALL_BODY)
    with room.share() as one, room.share() as other:
        one(LARGEST_BODY)
        other(LARGEST_BODY)


def test_fault_15_a_compressed_body_is_not_inflated(client: Client) -> None:
    """What was signed is the text, so its compressed form fails the signature."""
    body = raw(event())
    headers = {**signed(body), "Content-Encoding": "gzip"}
    assert client.post(PATH, data=gzip.compress(body), headers=headers).status_code == 400


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "é"],
)
def test_fault_16_the_content_type_does_not_matter(kind: str, client: Client, broker: MemoryBroker) -> None:
    """No form is ever parsed; the signed bytes decide."""
    assert send(client, raw(event()), Content_Type=kind).status_code == 200
    assert len(broker.published) == 1


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b"not json", b'{"a": NaN}', b"[" * 100_000])
def test_faults_17_18_signed_bytes_that_are_no_object_are_refused(
    body: bytes, client: Client, broker: MemoryBroker
) -> None:
    """A valid signature does not make JSON of it."""
    assert send(client, body).status_code == 400
    assert not broker.published
    assert counted(client, "not_json")
