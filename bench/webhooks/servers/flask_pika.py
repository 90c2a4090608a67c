"""Flask as tutorials show it: `construct_event`, and a pika connection with confirms for each thread."""

from __future__ import annotations

import json
import threading

import pika
import stripe
from flask import Flask, request
from pika.adapters.blocking_connection import BlockingChannel

PERSISTENT = pika.BasicProperties(delivery_mode=2, content_type="application/json")


def create(url: str, queue: str, secret: str) -> Flask:
    """The application, for `gunicorn 'module:create(…)'`."""
    app = Flask(__name__)
    local = threading.local()

    def channel() -> BlockingChannel:
        if not hasattr(local, "channel"):
            local.channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
            local.channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
            local.channel.confirm_delivery()
        return local.channel

    def webhook() -> tuple[str, int]:
        try:
            event = stripe.Webhook.construct_event(  # pyright: ignore[reportUnknownMemberType] - partly untyped
                request.data, request.headers.get("Stripe-Signature"), secret
            )
        except (ValueError, stripe.SignatureVerificationError):
            return "bad signature", 400
        if event.type != "checkout.session.completed":
            return "ignored", 200
        body = json.dumps({"event": event.id, "session": event.data.object["id"]})
        channel().basic_publish("", queue, body.encode(), PERSISTENT, mandatory=True)
        return "ok", 200

    app.add_url_rule("/webhooks/stripe", view_func=webhook, methods=["POST"])
    return app
