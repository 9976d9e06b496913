"""The settings, one class a room; a process hands each part the slice it needs.

A name is `WARREN_` and the field; the names that other job systems use for the same thing are taken as aliases.
Nothing here reads the environment: `Limits()` is the defaults, on any machine.  See settings.py for the reading;
docs/settings.md and .env.example are generated from these classes.

Those of the object store (`artifacts`) and of the trades (`backup`, `cleanup`, `datasets`, `films`, `mailing`,
`operations`, `reports`) have files of their own, beside this one.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from wire import reach
from wire.fields import LONGEST_TIMEOUT
from wire.segments import EVERY, stretches

PREFIX: Final = "WARREN_"
INTERNAL: Final = {"session_id", "metrics_socket"}  # one process of ours tells another; nobody else sets it


def split_words(value: object) -> object:
    """A list as the environment has it."""
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


Words = Annotated[tuple[str, ...], BeforeValidator(split_words)]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(split_words)]


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


def also(field: str, *aliases: str) -> AliasChoices:
    """Our name of a field, and those that others use."""
    return AliasChoices(PREFIX + field, *aliases)


class Stores(Slice):
    """Where RabbitMQ and Postgres are, and how long to wait for them; read by every process."""

    amqp_url: SecretStr = Field(
        description="RabbitMQ, its user and its vhost",
        examples=["amqp://user:password@localhost:5672/vhost"],
        validation_alias=also("AMQP_URL", "AMQP_URL", "RABBITMQ_URL"),
    )
    database_url: SecretStr = Field(
        description="Postgres; Warren lives in the schema `warren` of this database",
        examples=["postgresql://user:password@localhost:5432/database"],
        validation_alias=also("DATABASE_URL", "DATABASE_URL"),
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
        if value.get_secret_value().partition("://")[0].lower() not in ("amqp", "amqps"):
            raise ValueError("must begin with amqp:// or amqps://")
        check_place(value.get_secret_value())
        return value

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: SecretStr) -> SecretStr:
        url = postgres_url(value.get_secret_value())
        check_place(url)
        return SecretStr(url)


class Limits(Slice):
    """What a job may ask for, and what it gets when it does not ask; read by every process."""

    max_body_bytes: int = Field(262_144, ge=1_024, le=8_388_608, description="Largest envelope taken at any door")
    default_max_retries: int = Field(
        3, ge=0, le=1_000, description="Retries of a type that names none",
        validation_alias=also("DEFAULT_MAX_RETRIES", "DEFAULT_MAX_RETRIES", "MAX_RETRIES"),
    )  # fmt: skip
    default_timeout_seconds: float = Field(
        300.0, gt=0, le=LONGEST_TIMEOUT, description="Time limit of a type that names none",
        validation_alias=also("DEFAULT_TIMEOUT_SECONDS", "DEFAULT_TIMEOUT_SECONDS"),
    )  # fmt: skip
    retry_base_seconds: float = Field(
        2.0, gt=0, le=86_400, description="Wait before the first retry; doubles from there",
        validation_alias=also("RETRY_BASE_SECONDS", "DEFAULT_RETRY_BASE_DELAY"),
    )  # fmt: skip
    retry_max_seconds: float = Field(
        300.0, gt=0, le=864_000, description="Longest wait between two attempts",
        validation_alias=also("RETRY_MAX_SECONDS", "DEFAULT_RETRY_MAX_DELAY"),
    )  # fmt: skip


class Worker(Slice):
    """The workers, `python -m actors`; the lease is read by every process."""

    actors: Words = Field((), description="Modules with job types, separated by commas")
    queues: Words = Field((), description="Queues to serve, separated by commas; none means those of all known types")
    processes: int = Field(
        2, ge=1, le=256, description="Worker processes", validation_alias=also("PROCESSES", "WORKER_POOL_SIZE")
    )
    concurrency: int = Field(
        100, ge=1, le=5_000, description="Jobs a process runs at once",
        validation_alias=also("CONCURRENCY", "WORKER_CONCURRENCY", "MAX_CONCURRENCY"),
    )  # fmt: skip
    threads: int = Field(16, ge=1, le=512, description="Threads for sync actors in a process")
    prefetch: int = Field(
        0, ge=0, le=10_000, description="Fixed prefetch; 0 adapts it to the speed of the jobs",
        validation_alias=also("PREFETCH", "RABBITMQ_PREFETCH"),
    )  # fmt: skip
    worker_id: str = Field(
        "", max_length=128, description="Name of this worker; the host and process by default",
        validation_alias=also("WORKER_ID", "WORKER_ID"),
    )  # fmt: skip
    heartbeat_seconds: float = Field(
        3.0, gt=0, le=60, description="Time between two heartbeats",
        validation_alias=also("HEARTBEAT_SECONDS", "HEARTBEAT_INTERVAL"),
    )  # fmt: skip
    lease_seconds: float = Field(15.0, gt=0, le=600, description="Silence after which a worker counts as dead")
    stuck_seconds: float = Field(
        30.0, gt=0, le=3_600,
        description="How long an async job may block its process before that ends; longer than any honest pause",
    )  # fmt: skip
    drain_seconds: float = Field(20.0, ge=0, le=3_600, description="How long running jobs may finish at a shutdown")
    scratch_folder: str = Field(
        "", description="Folder for the files that running jobs have in hand; the system's for temporary files if none "
        "is named",
        examples=["/srv/warren/scratch"],
    )  # fmt: skip
    session_id: str = Field("", description="Set by the supervisor for each child; do not set it yourself")
    metrics_socket: str = Field("", description="Set by the supervisor for its children; do not set it yourself")

    @model_validator(mode="after")
    def _leases_outlive_heartbeats(self) -> Self:
        if self.lease_seconds <= self.heartbeat_seconds:  # or every worker is dead between two of its heartbeats
            raise ValueError("WARREN_LEASE_SECONDS must be longer than WARREN_HEARTBEAT_SECONDS, better five times")
        return self


class Children(Slice):
    """Child processes, in which jobs with `isolation="process"` run; read by the workers."""

    children: int = Field(2, ge=1, le=256, description="Child processes of a worker process, one isolated job in each")
    child_jobs: int = Field(1_000, ge=1, le=1_000_000, description="Jobs after which a child process is replaced")
    child_memory_mb: int = Field(
        512, ge=256, le=1_048_576, description="Memory an isolated job may take whose type says nothing, in MB"
    )
    child_idle_seconds: float = Field(60.0, gt=0, le=86_400, description="When a child process without a job is ended")


class Outbound(Slice):
    """Every request that a job makes into the world; read by the workers."""

    allow: Words = Field(
        (), description="Internal targets that jobs may reach: host, host:port, address or network[:port]",
        examples=["intranet.example.org,10.1.0.0/16:8080"], validation_alias=also("OUTBOUND_ALLOW"),
    )  # fmt: skip
    ports: str = Field(
        "80,443", description="Ports that jobs may reach, or `any`", validation_alias=also("OUTBOUND_PORTS")
    )
    max_bytes: int = Field(
        10_485_760, ge=1_024, le=1_073_741_824, description="Largest answer, on the wire and unpacked",
        validation_alias=also("OUTBOUND_MAX_BYTES"),
    )  # fmt: skip
    timeout_seconds: float = Field(
        30.0, gt=0, le=3_600, description="Time for a whole answer, redirects included",
        validation_alias=also("OUTBOUND_TIMEOUT_SECONDS", "SCRAPER_TIMEOUT"),
    )  # fmt: skip
    user_agent: str = Field(
        "warren", min_length=1, max_length=256, pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$",
        description="What jobs call themselves", validation_alias=also("OUTBOUND_USER_AGENT", "SCRAPER_USER_AGENT"),
    )  # fmt: skip
    proxy: SecretStr = Field(
        SecretStr(""), description="HTTP proxy that all these requests go by (CONNECT); the environment's are ignored",
        examples=["http://user:password@proxy.example.org:3128"], validation_alias=also("OUTBOUND_PROXY"),
    )  # fmt: skip

    @field_validator("allow")
    @classmethod
    def _are_targets(cls, value: Words) -> Words:
        reach.allowed(value)
        return value

    @field_validator("ports")
    @classmethod
    def _are_ports(cls, value: str) -> str:
        reach.ports(value)
        return value

    @field_validator("proxy")
    @classmethod
    def _is_a_proxy(cls, value: SecretStr) -> SecretStr:
        said = value.get_secret_value()
        if said and said.partition("://")[0].lower() != "http":
            raise ValueError("must begin with http://")
        if said:
            check_place(said)
        return value


class Politeness(Slice):
    """How often jobs ask one host of the web (scheme, name and port), all processes together; read by the workers."""

    delay_seconds: float = Field(
        1.0, ge=0, le=3_600, description="Pause between a host's answer and the next request to it",
        validation_alias=also("HOST_DELAY_SECONDS"),
    )  # fmt: skip
    concurrency: int = Field(
        1, ge=1, le=1_000, validation_alias=also("HOST_CONCURRENCY"),
        description="Requests to a host at once; above 1 the pause lies between two beginnings",
    )  # fmt: skip
    longest_delay_seconds: float = Field(
        60.0, ge=1, le=86_400, validation_alias=also("HOST_LONGEST_DELAY_SECONDS"),
        description="Longest pause for a host that is slow or answers 429 or 503; it may ask for more itself",
    )  # fmt: skip
    robots: Literal["obey", "ignore"] = Field("obey", description="Whether jobs do as a host's robots.txt says")
    robots_ttl_seconds: float = Field(
        86_400.0, ge=60, le=604_800, description="How long a robots.txt is believed before it is read again"
    )


class Gateway(Slice):
    """The gateway, `python -m gateway`."""

    host: str = Field("127.0.0.1", description="Address to listen on", validation_alias=also("HOST", "API_HOST"))
    port: int = Field(8000, ge=0, le=65_535, description="Port to listen on", validation_alias=also("PORT", "API_PORT"))
    grpc_port: int = Field(
        50_051, ge=0, le=65_535, description="Port to listen on for gRPC, at the same address; 0: none",
        validation_alias=also("GRPC_PORT", "GRPC_PORT"),
    )  # fmt: skip
    body_seconds: float = Field(15.0, gt=0, le=600, description="Seconds in which a request's body must arrive")
    answer_in_dialects: bool = Field(False, description="Answer under `/api/v1/jobs` in other systems' words too")
    api_keys: Secrets = Field((), description="API keys, separated by commas")
    trust_local_network: bool = Field(False, description="Serve other hosts without API keys")
    allowed_hosts: Words = Field((), description="Host names this gateway answers to, beside localhost")
    page_size: int = Field(
        20, ge=1, le=500, description="Items on a page", validation_alias=also("PAGE_SIZE", "JOBS_PER_PAGE")
    )

    trace_url_template: str = Field(
        "", description="Address of a trace, with `{trace_id}` in it; jobs are then answered with their `trace_url`",
        examples=["http://localhost:16686/trace/{trace_id}"],
    )  # fmt: skip
    schedules_per_key: int = Field(
        100, ge=1, le=1_000_000, description="Most schedules that an API key may have; where none is needed, no limit",
        validation_alias=also("SCHEDULES_PER_KEY", "MAX_JOBS_PER_USER"),
    )  # fmt: skip
    max_bulk_jobs: int = Field(10_000, ge=1, le=100_000, description="Most jobs in one bulk request")
    max_bulk_bytes: int = Field(16_777_216, ge=1_024, le=268_435_456, description="Largest body of a bulk request")

    @field_validator("trace_url_template")
    @classmethod
    def _names_the_trace(cls, value: str) -> str:
        if value and "{trace_id}" not in value:
            raise ValueError("must have {trace_id} in it")
        return value


class Scheduler(Slice):
    """The scheduler, `python -m scheduler`."""

    sweep_seconds: float = Field(
        1.0, gt=0, le=60, description="Time between two looks at the outbox",
        validation_alias=also("SWEEP_SECONDS", "SCHEDULER_POLL_SECONDS"),
    )  # fmt: skip
    sweep_batch: int = Field(
        500, ge=1, le=10_000, description="Outbox rows taken at once",
        validation_alias=also("SWEEP_BATCH", "SCHEDULER_BATCH_SIZE"),
    )  # fmt: skip
    segments: str = Field(
        EVERY, description="Segments of the schedules that this scheduler may serve; live ones share them out",
        examples=["0-63,100"], validation_alias=also("SEGMENTS", "SCHEDULER_SEGMENTS"),
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
        validation_alias=also("COMPLETED_TTL_SECONDS", "JOB_TTL_SECONDS"),
    )  # fmt: skip
    failed_ttl_seconds: float = Field(
        1_209_600.0, ge=60, le=315_360_000, description="How long a failed, cancelled or expired job is kept"
    )
    articles_ttl_seconds: float = Field(
        2_592_000.0, ge=60, le=315_360_000, description="How long what was read at an address is known"
    )

    @field_validator("segments")
    @classmethod
    def _are_segments(cls, value: str) -> str:
        stretches(value)
        return value


class Logs(Slice):
    """What a process says of itself; read by every process."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least level that is written", validation_alias=also("LOG_LEVEL", "LOG_LEVEL")
    )
    log_format: Literal["auto", "json", "console"] = Field("auto", description="auto: columns in a terminal, else JSON")
    alive_folder: str = Field("", description="Folder where a health check sees that it lives")


class Metrics(Slice):
    """The figures of a process for Prometheus; read by every process, each on its own port."""

    metrics_port: int = Field(
        0, ge=0, le=65_535, description="Port of `/metrics`, one for each process on a host; 0: none"
    )
    metrics_host: str = Field("127.0.0.1", description="Address on which `/metrics` is served, without keys")


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


def check_place(url: str) -> None:
    """ValueError for an address that cannot be read; found out later, the error would quote a part of the password."""
    before, _, after = url.partition("://")[2].partition("/")
    login, _, hosts = before.rpartition("@")
    readable = all(map(_HOST.fullmatch, hosts.split(","))) and not set("@?#[]") & set(login)
    if not readable or "@" in after.partition("?")[0] or not _has_options(url.partition("?")[2]):
        raise ValueError("is not an address; signs in its password must be escaped: %40 for @, %2F for /, %23 for #")


def _has_options(query: str) -> bool:
    """Whether this is nothing, or `name=value`s."""
    return all(re.fullmatch(r"[\w.-]+=\S*", part) for part in query.split("&") if query)


_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s\[\]:#?]*)(:[0-9]{1,5})?(\?.*)?")
_DRIVERS = ("", "asyncpg", "psycopg", "psycopg2")
