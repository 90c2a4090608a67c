from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress

import pytest
import requests

from services.ingest.body import LARGEST_BODY
from services.ingest.stalled import PATIENCE
from shared import clock
from tests.integration.ingest.running import Ingest, sale
from tests.unit.ingest.support import PATH, signed

MIB = 1024 * 1024
HEAD = b"POST /webhooks/stripe HTTP/1.1\r\nHost: shop\r\nStripe-Signature: t=1,v1=00\r\n"


def exchange(ingest: Ingest, request: bytes, feed: bytes = b"", seconds: float = 20.0) -> bytes:
    """Send `request`, then `feed` each half second; what came back until the end, for `seconds` at most.

    An answer that began and does not end the connection is listened to for one second.
    """
    answer = b""
    deadline = clock.monotonic() + seconds
    with socket.create_connection(("127.0.0.1", ingest.port)) as connection, suppress(ConnectionError):
        connection.settimeout(0.5)
        connection.sendall(request)
        while clock.monotonic() < deadline:
            try:
                piece = connection.recv(65536)
            except TimeoutError:
                connection.sendall(feed)
                continue
            if not piece:
                break
            deadline = min(deadline, clock.monotonic() + 1) if not answer else deadline
            answer += piece
    return answer


def status(answer: bytes) -> bytes:
    """The status code of the first answer."""
    return answer[9:12]


def _connect(ingest: Ingest) -> socket.socket:
    return socket.create_connection(("127.0.0.1", ingest.port), timeout=10)


@contextmanager
def peak(ingest: Ingest) -> Generator[list[int]]:
    """Bytes of all workers, looked at all the time; complete when it ends."""
    looks = [ingest.memory()]
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            looks.append(ingest.memory())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield looks
    finally:
        over.set()
        looking.join()


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            b"POST /webhooks/stripe HTTP/1.1\r\nStripe-Signature: t=1,v1=\xe9\r\nContent-Length: 2\r\n\r\n{}",
            b"400",
        ),
        (b"POST /webhooks/stripe HTTP/1.0\r\n\r\n{}", b"400"),
        (b"POST http://other/webhooks/stripe HTTP/1.1\r\nHost: s\r\nContent-Length: 0\r\n\r\n", b"400"),
        (HEAD + b"Host: other\r\nContent-Length: 0\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", b"400"),
        (HEAD + b"Content-Length: -5\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: +5\r\n\r\nabcde", b"400"),
        (HEAD + b"Content-Length: 104857600\r\n\r\n", b"413"),
        (b"GET /webhooks/stripe HTTP/1.1\r\nHost: s\r\n\r\n", b"405"),
        (b"GET /%3Cscript%3E HTTP/1.1\r\nHost: s\r\n\r\n", b"404"),
    ],
)
def test_faults_3_14_21_22_odd_requests_are_refused(request_: bytes, expected: bytes, ingest: Ingest) -> None:
    """The real server answers each with a client error and nothing of the request."""
    answer = exchange(ingest, request_)
    assert status(answer) == expected
    assert b"script" not in answer


def test_fault_14_an_endless_header_is_refused(ingest: Ingest) -> None:
    """It is cut off, with 431 where the client listens while it sends."""
    assert status(exchange(ingest, HEAD + b"X: " + b"a" * 5_000_000)) in {b"431", b""}
    assert ingest.sell() == 200


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\nContent-Length: 40\r\n\r\n",
    ],
)
def test_fault_22_no_second_request_is_smuggled_in(framing: bytes, ingest: Ingest) -> None:
    """Whatever the framing claims, one request never becomes two answers."""
    answer = exchange(ingest, HEAD + framing + b"GET /healthz HTTP/1.1\r\nHost: s\r\n\r\n")
    assert status(answer) == b"400"
    assert b"alive" not in answer


def test_fault_14_a_hundred_mebibytes_leave_memory_flat(ingest: Ingest) -> None:
    """An endless chunked body is cut off at the limit, and the worker does not grow."""
    ingest.sell()
    before = ingest.memory()
    chunk = b"100000\r\n" + b"a" * MIB + b"\r\n"
    with socket.create_connection(("127.0.0.1", ingest.port)) as connection, suppress(ConnectionError):
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(100):
            connection.sendall(chunk)
    assert ingest.memory() - before < 16 * MIB
    assert ingest.sell(2) == 200


def test_fault_14_strangers_bodies_leave_room_for_webhooks(ingest: Ingest) -> None:
    """As many large bodies as fit in all requests in hand are mostly 503, and real webhooks get through meanwhile."""
    head = HEAD + b"Content-Length: %d\r\n\r\n" % LARGEST_BODY
    with ExitStack() as crowd, peak(ingest) as memory:
        strangers = [crowd.enter_context(_connect(ingest)) for _ in range(250)]
        for stranger in strangers:
            with suppress(TimeoutError, ConnectionError):  # refused while it sends
                stranger.sendall(head + bytes(LARGEST_BODY - 1))
        assert ingest.sell() == 200
    assert max(memory) - memory[0] < 64 * MIB
    assert ingest.post(sale(2).ljust(LARGEST_BODY)).status_code == 200


def test_fault_15_a_bomb_is_not_inflated(ingest: Ingest) -> None:
    """100 MiB of a signed event's text in 100 KB stay 100 KB, and the signature of the text does not fit them."""
    text = sale(1).ljust(100 * MIB)
    bomb = gzip.compress(text)
    assert len(bomb) < LARGEST_BODY
    headers = {**signed(text), "Content-Encoding": "gzip"}
    with peak(ingest) as memory:
        answer = requests.post(ingest.address + PATH, data=bomb, headers=headers, timeout=10)
    assert answer.status_code == 400
    assert max(memory) - memory[0] < 16 * MIB


def test_a_chunked_webhook_is_accepted(ingest: Ingest) -> None:
    """A proxy may pass the body on in chunks."""
    body = sale(1)
    pieces = iter([body[:100], body[100:]])
    answer = requests.post(ingest.address + PATH, data=pieces, headers=signed(body), timeout=10)
    assert answer.status_code == 200


def test_fault_14_slow_clients_are_cut_off_and_hold_nobody_up(ingest: Ingest) -> None:
    """Silent, trickling and idle clients are gone after a while; others are served meanwhile."""
    stalled = {
        "silent": (HEAD + b"Content-Length: 100\r\n\r\n", b""),
        "trickling": (HEAD + b"Content-Length: 1000\r\n\r\n", b"a"),
        "chunked": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        "half a header": (b"POST /web", b"a"),
        "idle": (b"", b""),
    }
    ended: dict[str, tuple[bytes, float]] = {}
    begun = clock.monotonic()

    def stall(name: str) -> None:
        answer = exchange(ingest, *stalled[name], seconds=PATIENCE + 10)
        ended[name] = (status(answer), clock.monotonic() - begun)

    threads = [threading.Thread(target=stall, args=(name,)) for name in stalled]
    for thread in threads:
        thread.start()
    assert ingest.sell(1) == 200
    for thread in threads:
        thread.join(PATIENCE + 15)
    assert {name: answer for name, (answer, _) in ended.items()} == {
        "silent": b"408",
        "trickling": b"408",
        "chunked": b"400",
        "half a header": b"",
        "idle": b"",
    }
    assert all(seconds < PATIENCE + 5 for _, seconds in ended.values())
    assert ingest.sell(2) == 200


def test_fault_2_refusals_name_no_version(ingest: Ingest) -> None:
    """The server's name comes without its version."""
    answer = requests.post(ingest.address + PATH, data=b"{}", timeout=5)
    assert (answer.status_code, answer.text) == (400, "no valid signature\n")
    assert not any(character.isdigit() for character in answer.headers.get("Server", ""))
