"""From settings to a broker: RabbitMQ where AMQP_URL is set, else the queue in the database."""

from __future__ import annotations

from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Broker
from shared.broker.rabbitmq import RabbitBroker
from shared.broker.rabbitmq_topic import RabbitTopic
from shared.broker.topic import Topic
from shared.database.connect import dsn
from shared.settings import BrokerSettings
from shared.topology import PIPELINE, Topology


def connect(settings: BrokerSettings, topology: Topology = PIPELINE) -> Broker:
    """The broker that `settings` name; it connects when it is first used."""
    if settings.amqp_url is not None:
        return RabbitBroker(settings.amqp_url.get_secret_value(), topology)
    return EmbeddedBroker(dsn(settings), topology)


def topic(settings: BrokerSettings, name: str, topology: Topology = PIPELINE) -> Topic | None:
    """The exchange `<prefix>.<name>` for other programs; None where the queue in the database has none."""
    if settings.amqp_url is None:
        return None
    return RabbitTopic(settings.amqp_url.get_secret_value(), f"{topology.prefix}.{name}")
