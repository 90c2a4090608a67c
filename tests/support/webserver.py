"""The web server behind the endpoints that tests let hear webhooks."""

from __future__ import annotations

from http.server import ThreadingHTTPServer


class EndpointServer(ThreadingHTTPServer):
    """Takes as many connections at once as a simulator opens.

    With the library's backlog of 5, a machine under load answers a burst of webhooks with SYN cookies and then
    resets some of the connections: attempts that no test meant to fail.
    """

    daemon_threads = True
    request_queue_size = 1024
