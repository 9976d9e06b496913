"""Where a server is, as somebody wrote it in the environment.

People bring the spelling of whatever library they last used.  All mean the same place; SQLite does not, and is
refused here with a sentence instead of in a driver with a stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

AMQP_NAMES = ("AMQP_URL", "WARREN_AMQP_URL", "RABBITMQ_URL")
DATABASE_NAMES = ("DATABASE_URL", "WARREN_DATABASE_URL")
POSTGRES_SCHEMES = {"postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg2", "postgresql+psycopg"}
DEFAULT_PORTS = {"amqp": 5672, "amqps": 5671, "postgresql": 5432}


class BadAddress(Exception):
    pass


def amqp_url(environ: Mapping[str, str]) -> str | None:
    name, url = _first(environ, AMQP_NAMES)
    if not url:
        return None
    if urlsplit(url).scheme not in {"amqp", "amqps"}:
        raise BadAddress(f"{name} must begin with amqp:// or amqps://, got {_scheme(url)}")
    return url


def database_url(environ: Mapping[str, str]) -> str | None:
    name, url = _first(environ, DATABASE_NAMES)
    if not url:
        return None
    scheme, separator, rest = url.partition("://")
    if scheme.startswith("sqlite"):
        raise BadAddress(
            f"{name} names SQLite: Warren locks rows and waits for notices, which needs Postgres; "
            "unset it and deploy/up brings a Postgres of its own"
        )
    if scheme not in POSTGRES_SCHEMES or not separator:
        raise BadAddress(f"{name} must begin with postgresql://, got {_scheme(url)}")
    return f"postgresql://{rest}"


def host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "localhost", parts.port or DEFAULT_PORTS[parts.scheme]


def without_password(url: str) -> str:
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":***@") if parts.password else url


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str]:
    return next(((name, environ[name]) for name in names if environ.get(name)), (names[0], ""))


def _scheme(url: str) -> str:
    """The rest of it may hold a password."""
    return f"{url.partition('://')[0][:20]!r}" if "://" in url else "something without a scheme"
