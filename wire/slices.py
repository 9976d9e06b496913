"""The settings, one class a room; a process hands each part the slice it needs.

A name is `WARREN_` and the field; the names that other job systems use for the same thing are taken as aliases.
Nothing here reads the environment: `Limits()` is the defaults, on any machine.  See settings.py for the reading;
docs/settings.md and .env.example are generated from these classes.
"""

from __future__ import annotations

from typing import Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from wire.fields import LONGEST_TIMEOUT

PREFIX: Final = "WARREN_"
INTERNAL: Final = {"session_id"}  # one process of ours tells another; nobody else sets it
Words = tuple[str, ...]


class Slice(BaseSettings):
    """A part of the settings.

    The library's own sources are switched off: with them `.env` beats the environment where the two spell a setting
    differently, and faults are told a class at a time.  settings.py reads for all slices at once.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def _also(field: str, *aliases: str) -> AliasChoices:
    return AliasChoices(PREFIX + field, *aliases)


class Stores(Slice):
    """Where RabbitMQ and Postgres are, and how long to wait for them; read by every process."""

    amqp_url: SecretStr = Field(
        description="RabbitMQ, its user and its vhost",
        examples=["amqp://user:password@localhost:5672/vhost"],
        validation_alias=_also("AMQP_URL", "AMQP_URL", "RABBITMQ_URL"),
    )
    database_url: SecretStr = Field(
        description="Postgres; Warren lives in the schema `warren` of this database",
        examples=["postgresql://user:password@localhost:5432/database"],
        validation_alias=_also("DATABASE_URL", "DATABASE_URL"),
    )
    profile: Literal["auto", "classic", "quorum"] = Field(
        "auto", description="Queue kind; auto chooses by the broker's version once and then keeps to it"
    )
    broker_timeout_seconds: float = Field(
        5.0, gt=0, le=300, description="Deadline of a broker call; longer than one quorum leader election"
    )
    database_timeout_seconds: float = Field(5.0, gt=0, le=300, description="Deadline of a database call")
    database_connections: int = Field(3, ge=1, le=50, description="Postgres connections a process may hold")

    @field_validator("amqp_url")
    @classmethod
    def _amqp(cls, value: SecretStr) -> SecretStr:
        if urlsplit(value.get_secret_value()).scheme not in ("amqp", "amqps"):
            raise ValueError("must begin with amqp:// or amqps://")
        return value

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: SecretStr) -> SecretStr:
        return SecretStr(postgres_url(value.get_secret_value()))


class Limits(Slice):
    """What a job may ask for, and what it gets when it does not ask; read by every process."""

    max_body_bytes: int = Field(262_144, ge=1_024, le=8_388_608, description="Largest envelope taken at any door")
    default_max_retries: int = Field(
        3, ge=0, le=1_000, description="Retries of a type that names none",
        validation_alias=_also("DEFAULT_MAX_RETRIES", "DEFAULT_MAX_RETRIES", "MAX_RETRIES"),
    )  # fmt: skip
    default_timeout_seconds: float = Field(
        300.0, gt=0, le=LONGEST_TIMEOUT, description="Time limit of a type that names none",
        validation_alias=_also("DEFAULT_TIMEOUT_SECONDS", "DEFAULT_TIMEOUT_SECONDS"),
    )  # fmt: skip
    retry_base_seconds: float = Field(
        2.0, gt=0, le=86_400, description="Wait before the first retry; doubles from there",
        validation_alias=_also("RETRY_BASE_SECONDS", "DEFAULT_RETRY_BASE_DELAY"),
    )  # fmt: skip
    retry_max_seconds: float = Field(
        300.0, gt=0, le=864_000, description="Longest wait between two attempts",
        validation_alias=_also("RETRY_MAX_SECONDS", "DEFAULT_RETRY_MAX_DELAY"),
    )  # fmt: skip


class Worker(Slice):
    """The workers, `python -m actors`; the lease is read by every process."""

    actors: Words = Field((), description="Modules with job types, separated by commas")
    queues: Words = Field((), description="Queues to serve, separated by commas; none means those of all known types")
    processes: int = Field(
        2, ge=1, le=256, description="Worker processes", validation_alias=_also("PROCESSES", "WORKER_POOL_SIZE")
    )
    concurrency: int = Field(
        100, ge=1, le=5_000, description="Jobs a process runs at once",
        validation_alias=_also("CONCURRENCY", "WORKER_CONCURRENCY", "MAX_CONCURRENCY"),
    )  # fmt: skip
    threads: int = Field(16, ge=1, le=512, description="Threads for sync actors in a process")
    prefetch: int = Field(
        0, ge=0, le=10_000, description="Fixed prefetch; 0 adapts it to the speed of the jobs",
        validation_alias=_also("PREFETCH", "RABBITMQ_PREFETCH"),
    )  # fmt: skip
    worker_id: str = Field(
        "", max_length=128, description="Name of this worker; the host and process by default",
        validation_alias=_also("WORKER_ID", "WORKER_ID"),
    )  # fmt: skip
    heartbeat_seconds: float = Field(
        3.0, gt=0, le=60, description="Time between two heartbeats",
        validation_alias=_also("HEARTBEAT_SECONDS", "HEARTBEAT_INTERVAL"),
    )  # fmt: skip
    lease_seconds: float = Field(15.0, gt=0, le=600, description="Silence after which a worker counts as dead")
    stuck_seconds: float = Field(
        30.0, gt=0, le=3_600,
        description="How long an async job may block its process before that ends; longer than any honest pause",
    )  # fmt: skip
    drain_seconds: float = Field(20.0, ge=0, le=3_600, description="How long running jobs may finish at a shutdown")
    session_id: str = Field("", description="Set by the supervisor for each child; do not set it yourself")

    @field_validator("actors", "queues", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return _words(value)

    @model_validator(mode="after")
    def _leases_outlive_heartbeats(self) -> Self:
        if self.lease_seconds <= self.heartbeat_seconds:  # or every worker is dead between two of its heartbeats
            raise ValueError("WARREN_LEASE_SECONDS must be longer than WARREN_HEARTBEAT_SECONDS, better five times")
        return self


class Gateway(Slice):
    """The gateway, `python -m gateway`."""

    host: str = Field("127.0.0.1", description="Address to listen on", validation_alias=_also("HOST", "API_HOST"))
    port: int = Field(
        8000, ge=0, le=65_535, description="Port to listen on", validation_alias=_also("PORT", "API_PORT")
    )
    api_keys: tuple[SecretStr, ...] = Field((), description="API keys, separated by commas")
    trust_local_network: bool = Field(False, description="Serve other hosts without API keys")
    allowed_hosts: Words = Field((), description="Host names this gateway answers to, beside localhost")
    page_size: int = Field(
        20, ge=1, le=500, description="Items on a page", validation_alias=_also("PAGE_SIZE", "JOBS_PER_PAGE")
    )

    @field_validator("api_keys", "allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return _words(value)


class Scheduler(Slice):
    """The scheduler, `python -m scheduler`."""

    sweep_seconds: float = Field(
        1.0, gt=0, le=60, description="Time between two looks at the outbox",
        validation_alias=_also("SWEEP_SECONDS", "SCHEDULER_POLL_SECONDS"),
    )  # fmt: skip
    sweep_batch: int = Field(
        500, ge=1, le=10_000, description="Outbox rows taken at once",
        validation_alias=_also("SWEEP_BATCH", "SCHEDULER_BATCH_SIZE"),
    )  # fmt: skip
    reap_seconds: float = Field(2.0, gt=0, le=60, description="Time between two looks at who is gone")
    rescue_seconds: float = Field(10.0, gt=0, le=600, description="Time between two looks at what was overtaken")
    rescue_batch: int = Field(1_000, ge=1, le=10_000, description="Jobs rescued by one statement")
    rescue_grace_seconds: float = Field(
        10.0, ge=0, le=3_600, description="How long a job must be due before an empty queue says that it is lost"
    )
    overtaken_seconds: float = Field(
        60.0, gt=0, le=86_400,
        description="How much later a job must have come due whose start says that an older one is lost",
    )  # fmt: skip
    completed_ttl_seconds: float = Field(
        86_400.0, ge=60, le=315_360_000, description="How long a completed job is kept",
        validation_alias=_also("COMPLETED_TTL_SECONDS", "JOB_TTL_SECONDS"),
    )  # fmt: skip
    failed_ttl_seconds: float = Field(
        1_209_600.0, ge=60, le=315_360_000, description="How long a failed, cancelled or expired job is kept"
    )


class Logs(Slice):
    """What a process says of itself; read by every process."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least level that is written", validation_alias=_also("LOG_LEVEL", "LOG_LEVEL")
    )
    log_format: Literal["auto", "json", "console"] = Field("auto", description="auto: columns in a terminal, else JSON")


def environment_names(slice_class: type[Slice], field: str) -> list[str]:
    """The names a field is read from, the first of them ours."""
    alias = slice_class.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return [str(choice) for choice in alias.choices]
    return [PREFIX + field.upper()]


def postgres_url(url: str) -> str:
    """One spelling for the many that other libraries use, or ValueError."""
    scheme, separator, rest = url.partition("://")
    if scheme.startswith("sqlite"):
        raise ValueError(
            "SQLite cannot be used: Warren needs Postgres, because many processes share its rows and locks"
        )
    dialect, _, driver = scheme.partition("+")
    if not separator or dialect not in ("postgres", "postgresql") or driver not in _DRIVERS:
        raise ValueError("must begin with postgresql://")
    return f"postgresql://{rest}"


_DRIVERS = ("", "asyncpg", "psycopg", "psycopg2")


def _words(value: object) -> object:
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value
