"""A topic exchange on RabbitMQ: persistent messages in order, with confirms; what no queue wants is no error."""

from __future__ import annotations

from collections.abc import Sequence

from pika.exceptions import ChannelClosedByBroker
from pika.exchange_type import ExchangeType

from shared.broker.port import Outgoing
from shared.broker.rabbitmq_envelope import fresh
from shared.broker.rabbitmq_parking import visit
from shared.broker.rabbitmq_publisher import Publisher
from shared.broker.rabbitmq_renewal import Renewal
from shared.broker.rabbitmq_topology import DIFFERENT_DECLARATION, TopologyConflict


class RabbitTopic:
    """The exchange `name` at an AMQP URL. Nothing is connected before it is used."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._renewal = Renewal(self.declare)
        self._publisher: Publisher | None = None

    def declare(self) -> None:
        """Make the exchange; raises TopologyConflict where something different stands, or BrokerDown."""
        with visit(self._url) as channel:
            try:
                channel.exchange_declare(self._name, ExchangeType.topic, durable=True)
            except ChannelClosedByBroker as error:
                if error.reply_code != DIFFERENT_DECLARATION:
                    raise
                raise TopologyConflict(error.reply_text) from None

    def publish(self, messages: Sequence[Outgoing], *, timeout: float) -> None:
        """Return once all are confirmed; raises PublishError within `timeout` seconds. From one thread."""
        if self._publisher is None:
            self._publisher = Publisher(self._url, self._renewal)
        envelopes = [fresh(self._name, message)._replace(mandatory=False) for message in messages]
        self._publisher.send(envelopes, timeout)

    def close(self) -> None:
        """Let go of the connection within seconds."""
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.close()
