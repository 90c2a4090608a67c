"""Stripe's front door: who may call, how often, under which idempotency key, and what goes wrong."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from services.stripe_simulator import errors
from services.stripe_simulator.api import ROUTES, Handler
from services.stripe_simulator.errors import ApiError
from services.stripe_simulator.expand import expanded
from services.stripe_simulator.faults import Rule
from services.stripe_simulator.http import HANGUP, Answer, Request, Wire, answer
from services.stripe_simulator.idempotency import Keys
from services.stripe_simulator.journal import Journal
from services.stripe_simulator.limiter import Limiter
from services.stripe_simulator.params import Params, parse, texts
from services.stripe_simulator.routing import Router
from services.stripe_simulator.world import Call, World

KEY_PREFIXES = ("sk_test_", "rk_test_")


@dataclass(frozen=True, slots=True)
class Routed:
    """A request whose handler and parameters are known."""

    request: Request
    endpoint: str
    handler: Handler
    args: tuple[str, ...]
    params: Params
    expand: list[str]


class Gateway:
    """Answers API requests."""

    def __init__(self, world: World, api_key: str | None = None) -> None:
        self.world = world
        self.keys = Keys()
        self.limiter = Limiter()
        self.journal = Journal()
        self.latency = 0.0  # seconds
        self.stopping = threading.Event()
        self._api_key = api_key
        self._router = Router(ROUTES)

    def answer(self, request: Request) -> Answer:
        """The answer to one request, with the headers that Stripe always sends."""
        try:
            given = self._admitted(request)
        except ApiError as refusal:
            given = _refused(refusal)
        version = request.headers.get("stripe-version")
        usual = {"Request-Id": request.id} | ({"Stripe-Version": version} if version else {})
        if key := request.idempotency_key:
            usual["Idempotency-Key"] = key
        return replace(given, headers={**usual, **given.headers})

    def _admitted(self, request: Request) -> Answer:
        found = self._router.find(request.method, request.path)
        params = parse(request.encoded)
        entry = self.journal.arrived(request, found[0] if found else "unknown", params)
        try:
            self._authorize(request)
            if found is None:
                raise errors.unknown_url(request.method, request.path)
            endpoint, handler, args = found
            self.limiter.check(endpoint)
            expand = texts(params, "expand")
            bare = {name: value for name, value in params.items() if name != "expand"}
            routed = Routed(request, endpoint, handler, args, bare, expand)
            rule = self.world.faults.for_request(request.method, request.path, request.idempotency_key)
            entry["fault"] = rule.kind if rule else None
            given = self._spoiled(routed, rule) if rule else self.run(routed)
        except ApiError as refusal:
            given = _refused(refusal)
        self.journal.answered(entry, 0 if given.wire in {Wire.HANGUP, Wire.RESET} else given.status)
        return given

    def _authorize(self, request: Request) -> None:
        key = _given_key(request.headers.get("authorization", ""))
        if not key:
            raise errors.unauthorized(None)
        welcome = key == self._api_key if self._api_key else key.startswith(KEY_PREFIXES)
        if not welcome:
            raise errors.unauthorized(key)

    def run(self, routed: Routed, seconds: float = 0.0) -> Answer:
        """Execute the request as Stripe would, once per idempotency key, in flight for `seconds` longer."""

        def execute() -> Answer:
            self.stopping.wait(self.latency + seconds)
            return self._execute(routed)

        return self._once(routed, execute)

    def _once(self, routed: Routed, execute: Callable[[], Answer]) -> Answer:
        key = routed.request.idempotency_key
        return self.keys.once(key, f"{routed.request.method} {routed.request.path}", routed.params, execute)

    def _execute(self, routed: Routed) -> Answer:
        request = routed.request
        call = Call(
            routed.params,
            routed.args,
            request.id,
            request.idempotency_key,
            request.headers.get("stripe-version"),
        )
        try:
            with self.world.lock:
                result = routed.handler(self.world, call)
                return answer(expanded(self.world, result, routed.expand))
        except ApiError as refusal:
            return _refused(refusal)

    def _spoiled(self, routed: Routed, rule: Rule) -> Answer:
        match rule.kind:
            case "rate_limit":
                raise _with(errors.rate_limited(rule.code or "endpoint-rate"), rule)
            case "lock_timeout":
                raise _with(errors.lock_timeout(), rule)
            case "status":
                kind = "invalid_request_error" if rule.status < 500 else "api_error"  # noqa: PLR2004 - HTTP
                raise ApiError(rule.status, rule.message, kind, rule.code, headers=rule.headers)
            case "error_before" | "error_after":
                return self._failed(routed, rule)
            case "timeout_before" | "timeout_after" | "late":
                return self._unanswered(routed, rule)
            case _:
                return self._mangled(routed, rule)

    def _failed(self, routed: Routed, rule: Rule) -> Answer:
        failure = _refused(_with(errors.broken(), rule))

        def execute() -> Answer:
            if rule.kind == "error_after":
                self._execute(routed)
            return failure

        return self._once(routed, execute) if rule.stored else execute()

    def _unanswered(self, routed: Routed, rule: Rule) -> Answer:
        if rule.kind == "late":
            self.later(rule.seconds, routed)
            return HANGUP
        if rule.kind == "timeout_after":
            self.run(routed)
        self.stopping.wait(rule.seconds)
        return HANGUP

    def _mangled(self, routed: Routed, rule: Rule) -> Answer:
        if rule.kind == "slow":
            return self.run(routed, rule.seconds)
        given = self.run(routed)
        match rule.kind:
            case "duplicate":
                self.later(rule.seconds, routed)
                return given
            case "truncated":
                return replace(given, wire=Wire.TRUNCATED)
            case _:
                return replace(given, wire=Wire.RESET)

    def later(self, seconds: float, routed: Routed) -> None:
        """Let the request arrive (again) after `seconds`, with nobody left to answer."""

        def arrive() -> None:
            if self.stopping.wait(seconds):
                return
            entry = self.journal.arrived(routed.request, routed.endpoint, routed.params)
            try:
                given = self.run(routed)
            except ApiError as refusal:
                given = _refused(refusal)
            self.journal.answered(entry, given.status)

        threading.Thread(target=arrive, daemon=True).start()


def _given_key(header: str) -> str | None:
    """The API key of an Authorization header: a bearer's, or the user's name as `curl -u sk_test_…:` sends it."""
    scheme, _, given = header.partition(" ")
    if scheme != "Basic":
        return given if scheme == "Bearer" else None
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[0]
    except ValueError:
        return None


def _refused(refusal: ApiError) -> Answer:
    return answer(refusal.body(), refusal.status, refusal.headers)


def _with(refusal: ApiError, rule: Rule) -> ApiError:
    refusal.headers = {**refusal.headers, **rule.headers}
    return refusal
