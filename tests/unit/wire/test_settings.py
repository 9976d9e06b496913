"""Settings: all faults at once, near misses guessed, other systems' names understood, secrets never printed."""

from __future__ import annotations

from typing import Literal, get_args, get_origin

import pytest

from tests.unit.wire.environment import AMQP, POSTGRES, Here
from wire import settings
from wire.settings import IGNORED, REPLACED, SCRIPTS_OWN, Limits, Settings, Slice, Worker
from wire.slices import environment_names

FORMS = {
    "key": "age1wd3mhamj2r0u9nhp05w7f5gd5w2ra4re9crsp92zatpzv26gj34spem9fq",
    "roots": "/srv/other", "report_templates": "/srv/templates", "datasets": "/srv/other", "places": "/srv/backups",
    "folders": "/srv/files",
    "trace_url_template": "http://a/{trace_id}", "segments": "0-63", "ports": "80,8080", "proxy": "http://u:p@h:3128",
    "artifacts_url": "s3://bucket/prefix", "smtp_url": "smtps://u:p@h", "mail_from": "Ada <ada@example.org>",
}  # fmt: skip


def another(owner: type[Slice], field: str) -> str:
    """A value that is not the default, as it is written in an environment."""
    info = owner.model_fields[field]
    if get_origin(info.annotation) is Literal:
        return str(get_args(info.annotation)[-1])
    if field in FORMS:
        return FORMS[field]
    if field.endswith("_url"):
        return (AMQP if field == "amqp_url" else POSTGRES) + "2"
    if isinstance(info.default, bool) or not isinstance(info.default, int | float):
        return "true" if info.default is False else "text"
    return str(info.default + 1)


def test_two_addresses_are_enough(here: Here) -> None:
    loaded = here.load()

    assert (AMQP, POSTGRES) == (
        loaded.stores.amqp_url.get_secret_value(),
        loaded.stores.database_url.get_secret_value(),
    )
    assert (Limits(), Worker()) == (loaded.limits, loaded.worker)


def test_all_faults_are_told_at_once(here: Here) -> None:
    faults = here.faults(
        AMQP_URL="", WARREN_PREFETCH="many", WARREN_PORT="70000", WARREN_RETRY_MAXX="3", REDIS_URL="redis://h",
        WARREN_LOG_LEVEL="LOUD", DATABASE_URL="sqlite:///jobs.db",
    )  # fmt: skip

    assert [
        "AMQP_URL is missing",
        "DATABASE_URL SQLite cannot be used: Warren needs Postgres, because many processes share its rows and locks",
        "REDIS_URL is set, but RabbitMQ carries the jobs and Postgres remembers them; Redis is not used",
        "WARREN_LOG_LEVEL must be 'DEBUG', 'INFO', 'WARNING' or 'ERROR', got 'LOUD'",
        "WARREN_PORT must be less than or equal to 65535, got '70000'",
        "WARREN_PREFETCH must be a valid integer, unable to parse string as an integer, got 'many'",
        "unknown WARREN_RETRY_MAXX (WARREN_RETRY_MAX_SECONDS?)",
    ] == faults


def test_nothing_at_all_says_what_is_needed(here: Here) -> None:
    assert ["AMQP_URL is missing", "DATABASE_URL is missing"] == here.faults(AMQP_URL="", DATABASE_URL="")


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("WARREN_PROT", " (WARREN_PORT?)"),
        ("WARREN_PREFETCHH", " (WARREN_PREFETCH?)"),
        ("WARREN_AMPQ_URL", " (WARREN_AMQP_URL?)"),
        ("WARREN_API_KEYZ", " (WARREN_API_KEY?)"),
        ("WARREN_XYZZY_QUUX_12345", ""),
    ],
)
def test_a_near_miss_is_guessed(here: Here, name: str, guess: str) -> None:
    assert [f"unknown {name}{guess}"] == here.faults(**{name: "x"})


@pytest.mark.parametrize("name", sorted(SCRIPTS_OWN))
def test_what_the_data_folder_gives_to_a_shell_is_no_fault(here: Here, name: str) -> None:
    here.load(**{name: "http://127.0.0.1:8000"})


@pytest.mark.parametrize("name", ["WARREN_PORT", "API_PORT"])
def test_an_alias_is_as_good_as_our_name(here: Here, name: str) -> None:
    assert 8080 == here.load(**{name: "8080"}).gateway.port


def test_our_name_wins_over_another_systems(here: Here) -> None:
    assert 7 == here.load(WARREN_CONCURRENCY="7", MAX_CONCURRENCY="8", WORKER_CONCURRENCY="9").worker.concurrency


def test_a_fault_names_what_was_written(here: Here) -> None:
    assert ["MAX_CONCURRENCY must be greater than or equal to 1, got '0'"] == here.faults(MAX_CONCURRENCY="0")


EVERY_NAME = [(owner, field, name) for owner, field, _ in settings.fields() for name in environment_names(owner, field)]


@pytest.mark.parametrize(("owner", "field", "name"), EVERY_NAME, ids=str)
def test_every_setting_is_read_from_each_of_its_names(here: Here, owner: type[Slice], field: str, name: str) -> None:
    said = another(owner, field)
    room = next(room for room, slice_class in Settings.slices.items() if slice_class is owner)
    stores = {"amqp_url": AMQP, "database_url": POSTGRES} if room == "stores" else {}
    plain = {"AMQP_URL": "", "WARREN_AMQP_URL": AMQP, "DATABASE_URL": "", "WARREN_DATABASE_URL": POSTGRES}
    plain |= {"WARREN_" + field.upper(): ""} if room == "stores" else {}

    assert owner.model_validate(stores | {field: said}) == getattr(here.load(**(plain | {name: said})), room)


def test_an_empty_value_counts_as_not_set(here: Here) -> None:
    here.dotenv("WARREN_PORT=\nWARREN_NONSENSE=\n")

    assert 8000 == here.load(WARREN_PORT="", API_PORT="", WARREN_LOG_LEVEL="", REDIS_URL="").gateway.port


def test_a_list_is_written_with_commas(here: Here) -> None:
    loaded = here.load(WARREN_ACTORS=" my.jobs , other,,", WARREN_API_KEYS="a,b", WARREN_ALLOWED_HOSTS="warren.local")

    assert ("my.jobs", "other") == loaded.worker.actors
    assert ["a", "b"] == [key.get_secret_value() for key in loaded.gateway.api_keys]
    assert ("warren.local",) == loaded.gateway.allowed_hosts


@pytest.mark.parametrize(
    ("name", "said", "problem"),
    [
        ("WARREN_OUTBOUND_ALLOW", "10.1.2.3/8", "has '10.1.2.3/8', which is no network: 10.1.2.3/8 has host bits set"),
        ("WARREN_OUTBOUND_ALLOW", "*.example.org", "has '*.example.org', which is no host name; a name"),
        ("WARREN_OUTBOUND_ALLOW", "http://a/", "has 'http://a/', which is no host, host:port, address"),
        ("WARREN_OUTBOUND_ALLOW", "a:0", "has '0', which is no port from 1 to 65535"),
        ("WARREN_OUTBOUND_PORTS", "80-90", "has '80-90', which is no port from 1 to 65535"),
        ("WARREN_OUTBOUND_PORTS", "80,", "has '', which is no port from 1 to 65535"),
        ("WARREN_OUTBOUND_USER_AGENT", "a\r\nb", "String should match pattern"),
    ],
)
def test_a_target_that_cannot_be_read_is_a_fault(here: Here, name: str, said: str, problem: str) -> None:
    assert [f"{name} {problem}"] == [fault[: len(f"{name} {problem}")] for fault in here.faults(**{name: said})]


@pytest.mark.parametrize("said", ["socks5://u:s3cr3t@h:1", "http://u:s3cr@3t@h:3128/"])
def test_the_password_of_a_proxy_is_not_told(here: Here, said: str) -> None:
    faults = here.faults(WARREN_OUTBOUND_PROXY=said)

    assert 1 == len(faults)
    assert "3t" not in faults[0]


def test_dotenv_is_read(here: Here) -> None:
    here.dotenv("export WARREN_PORT=8001\n# a note\nWARREN_HOST='0.0.0.0'\nSOMETHING_ELSE=1\n")
    loaded = here.load()

    assert (8001, "0.0.0.0") == (loaded.gateway.port, loaded.gateway.host)


def test_an_unknown_name_in_dotenv_is_a_fault(here: Here) -> None:
    here.dotenv("WARREN_PROT=8001\nMONGO_URI=mongodb://h\nWARREN_PAGE_SIZE=0\n")

    assert [
        "MONGO_URI is set, but Postgres remembers the jobs; MongoDB is not used",
        "WARREN_PAGE_SIZE must be greater than or equal to 1, got '0'",
        "unknown WARREN_PROT (WARREN_PORT?)",
    ] == here.faults()


@pytest.mark.parametrize("name", ["WARREN_PORT", "API_PORT"])
@pytest.mark.parametrize("other", ["WARREN_PORT", "API_PORT"])
def test_the_environment_wins_over_dotenv_under_any_name(here: Here, name: str, other: str) -> None:
    """
    A script that overrides one setting for one call need not know which spelling the file uses.
    """
    here.dotenv(f"{other}=1111\n")

    assert 2222 == here.load(**{name: "2222"}).gateway.port


def test_a_dotenv_that_is_no_text_is_a_sentence(here: Here) -> None:
    here.dotenv(b"WARREN_HOST=\xff\xfe\n")

    assert [".env is not UTF-8"] == here.faults()


@pytest.mark.parametrize(
    "names",
    [
        {"AMQP_URL": "http://u:s3cr3t@h"},
        {"AMQP_URL": "s3cr3t"},
        {"RABBITMQ_URL": "s3cr3t", "AMQP_URL": ""},
        {"DATABASE_URL": "mysql://u:s3cr3t@h"},
        {"DATABASE_URL": "s3cr3t"},
        {"DATABASE_URL": "sqlite:///s3cr3t"},
        {"WARREN_API_KEYY": "s3cr3t"},
        {"REDIS_URL": "redis://:s3cr3t@h"},
    ],
    ids=repr,
)
def test_a_secret_is_never_printed(here: Here, names: dict[str, str]) -> None:
    assert "s3cr3t" not in "".join(here.faults(**names))


def test_settings_that_are_shown_keep_their_secrets(here: Here) -> None:
    loaded = here.load(WARREN_API_KEYS="s3cr3t")

    assert "s3cr3t" not in "".join(repr(getattr(loaded, room)) for room in Settings.slices)


def test_a_lease_must_outlive_a_heartbeat(here: Here) -> None:
    """
    Otherwise every worker counts as dead between two of its heartbeats, and its jobs are taken over while they run.
    """
    assert ["WARREN_LEASE_SECONDS must be longer than WARREN_HEARTBEAT_SECONDS, better five times"] == here.faults(
        HEARTBEAT_INTERVAL="15"
    )


def test_no_name_means_two_things() -> None:
    names = [name for owner, field, _ in settings.fields() for name in environment_names(owner, field)]

    assert sorted(set(names)) == sorted(names)
    assert not set(names) & (REPLACED.keys() | IGNORED.keys() | SCRIPTS_OWN)
    assert not REPLACED.keys() & IGNORED.keys()


def test_every_setting_says_what_it_is_for() -> None:
    silent = [field for _, field, info in settings.fields() if not info.description]

    assert [] == silent


NAMED_BY_OTHERS = """
DATABASE_URL RABBITMQ_URL RABBITMQ_QUEUE RABBITMQ_PREFETCH MAX_CONCURRENCY WORKER_CONCURRENCY WORKER_POOL_SIZE WORKER_ID
API_HOST API_PORT GRPC_PORT DEFAULT_MAX_RETRIES MAX_RETRIES DEFAULT_RETRY_BASE_DELAY DEFAULT_RETRY_MAX_DELAY
DEFAULT_TIMEOUT_SECONDS JOB_TTL_SECONDS SCRAPER_TIMEOUT SCRAPER_USER_AGENT SCHEDULER_SEGMENTS SCHEDULER_BATCH_SIZE
SCHEDULER_POLL_SECONDS LEADER_LOCK_KEY HEARTBEAT_INTERVAL JOBS_PER_PAGE MAX_JOBS_PER_USER MINIO_ENDPOINT
MINIO_ACCESS_KEY MINIO_SECRET_KEY MINIO_BUCKET SECRET_KEY LOG_LEVEL REDIS_URL REDIS_HOST MONGO_URI
"""


@pytest.mark.parametrize("name", NAMED_BY_OTHERS.split())
def test_a_name_of_the_systems_we_replace_is_a_setting_or_has_a_reason(name: str) -> None:
    ours = {name for owner, field, _ in settings.fields() for name in environment_names(owner, field)}

    assert name in ours | REPLACED.keys() | IGNORED.keys()


def test_what_is_passed_over_does_not_stop_the_start(here: Here) -> None:
    here.load(**dict.fromkeys(IGNORED, "1"))


@pytest.mark.parametrize("name", REPLACED)
def test_what_is_replaced_stops_the_start_with_a_reason(here: Here, name: str) -> None:
    assert [f"{name} is set, but {REPLACED[name]}"] == here.faults(**{name: "1"})


def test_kubernetes_may_live_beside_a_service_called_redis(here: Here) -> None:
    """
    It puts these into every pod of the namespace.
    """
    here.load(REDIS_PORT="tcp://10.0.0.1:6379", REDIS_SERVICE_HOST="10.0.0.1", REDIS_PORT_6379_TCP_ADDR="10.0.0.1")


def test_a_slice_does_not_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARREN_CONCURRENCY", "7")

    assert 100 == Worker().concurrency


@pytest.mark.parametrize("slice_class", Settings.slices.values())
def test_a_slice_takes_no_misspelt_field(slice_class: type[Slice]) -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        slice_class.model_validate({"concurency": 1, "amqp_url": AMQP, "database_url": POSTGRES})


@pytest.mark.parametrize(
    ("said", "place", "endpoint"),
    [
        ({}, ".warren/artifacts", ""),
        ({"MINIO_BUCKET": "b", "MINIO_ENDPOINT": "minio:9000"}, "s3://b", "http://minio:9000"),
        ({"MINIO_BUCKET": "b", "MINIO_ENDPOINT": "minio:9000", "MINIO_SECURE": "true"}, "s3://b", "https://minio:9000"),
        ({"MINIO_BUCKET": "b", "WARREN_ARTIFACTS_URL": "/srv/a"}, "/srv/a", ""),
        ({"WARREN_ARTIFACTS_URL": "s3://b/p", "AWS_ENDPOINT_URL": "https://s3.example.org/"}, "s3://b/p",
         "https://s3.example.org"),
        ({"AWS_ACCESS_KEY_ID": "for something else", "AWS_ENDPOINT_URL": "http://h/with/a/path"}, ".warren/artifacts",
         "http://h/with/a/path"),
    ],
)  # fmt: skip
def test_artifacts_have_a_place_by_whichever_tool_s_names(
    here: Here, said: dict[str, str], place: str, endpoint: str
) -> None:
    artifacts = here.load(**said).artifacts

    assert (place, endpoint) == (artifacts.place, artifacts.endpoint)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"WARREN_ARTIFACTS_URL": "ftp://h/x"}, "must be a folder or begin with file://, s3://, gs:// or az://"),
        ({"WARREN_ARTIFACTS_URL": "file://srv/x"}, "must be followed by an absolute path, as in file:///srv/artifacts"),
        ({"WARREN_ARTIFACTS_URL": "s3://key:secret@b"}, "keys have settings of their own"),
        ({"WARREN_ARTIFACTS_URL": "s3://"}, "must be s3:// with a bucket"),
        (
            {"MINIO_BUCKET": "b", "MINIO_ENDPOINT": "http://h/x"},
            "must be http://host:port, https://host:port or host:port",
        ),
        ({"MINIO_BUCKET": "b", "MINIO_ACCESS_KEY": "k"}, "go together: set both or none"),
    ],
)
def test_a_place_of_artifacts_that_cannot_be_is_told_at_once(here: Here, said: dict[str, str], fault: str) -> None:
    (told,) = here.faults(**said)

    assert fault in told
    assert "secret@" not in told
