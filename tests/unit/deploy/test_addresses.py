"""What people write into AMQP_URL and DATABASE_URL, and what it comes to."""

from __future__ import annotations

import pytest

from deploy.servers.addresses import BadAddress, amqp_url, database_url, host_and_port, without_password
from deploy.servers.sources import given


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg2"])
def test_every_spelling_of_postgres_means_the_same_place(scheme: str) -> None:
    assert database_url({"DATABASE_URL": f"{scheme}://u:p@h:1/d?x=1"}) == "postgresql://u:p@h:1/d?x=1"


@pytest.mark.parametrize("url", ["sqlite:///jobs.db", "sqlite+aiosqlite:///jobs.db"])
def test_sqlite_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(BadAddress, match="needs Postgres"):
        database_url({"DATABASE_URL": url})


@pytest.mark.parametrize("url", ["mysql://h/d", "h:5432", "postgresql:/h"])
def test_what_is_not_postgres_is_refused_by_name(url: str) -> None:
    with pytest.raises(BadAddress, match="DATABASE_URL must begin with postgresql://"):
        database_url({"DATABASE_URL": url})


@pytest.mark.parametrize("name", ["AMQP_URL", "RABBITMQ_URL", "WARREN_AMQP_URL"])
def test_rabbitmq_goes_by_three_names(name: str) -> None:
    assert amqp_url({name: "amqp://h/"}) == "amqp://h/"


def test_a_refusal_does_not_repeat_the_password() -> None:
    with pytest.raises(BadAddress) as refusal:
        amqp_url({"AMQP_URL": "redis://:secret@h"})

    assert "secret" not in str(refusal.value)


def test_an_empty_value_counts_as_not_set() -> None:
    assert given({"AMQP_URL": "", "DATABASE_URL": ""}) == (None, None)


def test_each_server_may_come_from_elsewhere() -> None:
    """
    A service that has a RabbitMQ need not bring a Postgres too.
    """
    broker, store = given({"RABBITMQ_URL": "amqps://u:p@broker"})

    assert store is None
    assert broker is not None
    assert broker.environ() == {"AMQP_URL": "amqps://u:p@broker"}


def test_a_default_port_is_known() -> None:
    assert [("b", 5672), ("b", 5671), ("b", 5432), ("b", 9)] == [
        host_and_port(url) for url in ("amqp://b", "amqps://b", "postgresql://b/d", "postgresql://b:9/d")
    ]


def test_a_printed_address_of_somebody_else_hides_the_password() -> None:
    assert without_password("amqp://u:p@h/") == "amqp://u:***@h/"
