"""Flask with a Celery task for each webhook, on a quorum queue, with confirms on."""

from __future__ import annotations

from typing import Protocol, cast

import stripe
from celery import Celery
from flask import Flask, request
from kombu.entity import Queue


class _Task(Protocol):
    def delay(self, event: str, session: str) -> object: ...


def create(url: str, queue: str, secret: str) -> Flask:
    """The application, for `gunicorn 'module:create(…)'`."""
    app = Flask(__name__)
    celery = Celery("bench", broker=url)
    celery.conf.update(  # pyright: ignore[reportUnknownMemberType] - untyped
        task_default_queue=queue,
        task_queues=[Queue(queue, durable=True, queue_arguments={"x-queue-type": "quorum"})],
        task_ignore_result=True,
        broker_transport_options={"confirm_publish": True},
        broker_pool_limit=32,
    )
    task = cast("_Task", celery.task(name="book_sale")(_book_sale))  # pyright: ignore[reportUnknownMemberType] - untyped

    def webhook() -> tuple[str, int]:
        try:
            event = stripe.Webhook.construct_event(  # pyright: ignore[reportUnknownMemberType] - partly untyped
                request.data, request.headers.get("Stripe-Signature"), secret
            )
        except (ValueError, stripe.SignatureVerificationError):
            return "bad signature", 400
        if event.type != "checkout.session.completed":
            return "ignored", 200
        task.delay(event.id, event.data.object["id"])
        return "ok", 200

    app.add_url_rule("/webhooks/stripe", view_func=webhook, methods=["POST"])
    return app


def _book_sale(event: str, session: str) -> None:
    raise NotImplementedError((event, session))  # nobody consumes: only the way into the queue is measured
