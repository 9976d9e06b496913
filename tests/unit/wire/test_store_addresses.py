"""Addresses of RabbitMQ and Postgres: every usual spelling is taken; one that cannot be read is not repeated."""

from __future__ import annotations

import pytest

from tests.unit.wire.environment import Here
from wire.settings import postgres_url


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@h/d", "postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d", "postgresql+psycopg2://u:p@h/d",
        "postgresql+psycopg://u:p@h/d",
    ],
)  # fmt: skip
def test_every_spelling_of_postgres_means_the_same(url: str) -> None:
    assert "postgresql://u:p@h/d" == postgres_url(url)


@pytest.mark.parametrize("url", ["", "h/d", "mysql://h/d", "postgresql:/h/d", "postgresql+pg8000://h/d", "sqlite://"])
def test_another_database_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"Postgres|must begin with postgresql://"):
        postgres_url(url)


@pytest.mark.parametrize("name", ["AMQP_URL", "DATABASE_URL"])
@pytest.mark.parametrize("password", ["s3/cr3t", "s3#cr3t", "s3?cr3t", "s3@cr3t", "s3[cr3t", "s3]cr3t", "12/cr3t"])
def test_a_password_that_is_not_escaped_is_told_at_once_and_not_repeated(here: Here, name: str, password: str) -> None:
    """
    Read as an address, a part of it would be the port, and every attempt to connect would say so in the log.
    """
    scheme = "amqp" if name == "AMQP_URL" else "postgresql"
    (fault,) = here.faults(**{name: f"{scheme}://user:{password}@localhost:5672/x"})

    assert fault.startswith(f"{name} is not an address")
    assert "%2F for /" in fault
    assert password not in fault


@pytest.mark.parametrize(
    "place",
    [
        "h", "h:1", "u@h", "u:p@h:1/x", "u:p%40%2F@h/x", "u:!$&'()*+,;=-._~|^p@h/x", "[::1]:5432/x", "u:p@[fe80::1]/x",
        "/x?host=/var/run/postgresql", "u:p@h1:1,h2:2,[::1]:3/x?target_session_attrs=primary", "",
    ],
)  # fmt: skip
def test_every_usual_address_is_taken(here: Here, place: str) -> None:
    assert (
        f"postgresql://{place}"
        == here.load(DATABASE_URL=f"postgresql://{place}").stores.database_url.get_secret_value()
    )


@pytest.mark.parametrize("query", ["s3cr3t", "a=b&s3cr3t@h", "=s3cr3t"])
def test_options_of_an_address_that_are_none_are_not_repeated(here: Here, query: str) -> None:
    (fault,) = here.faults(DATABASE_URL=f"postgresql:///x?{query}")

    assert fault.startswith("DATABASE_URL is not an address")
    assert "s3cr3t" not in fault


def test_options_of_an_address_are_taken(here: Here) -> None:
    address = "postgresql://u:p@h/d?sslmode=require&options=-c%20a%3Db"

    assert address == here.load(DATABASE_URL=address).stores.database_url.get_secret_value()
