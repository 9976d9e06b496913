"""The envelope: what is refused, by the name of its field; what is kept exactly; one request, one body."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from wire import envelope
from wire.errors import Refused

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ID = "019a0000-0000-7000-8000-000000000001"
LEAST = {"type": "echo", "payload": {}}


def body(**fields: object) -> bytes:
    return json.dumps(LEAST | fields).encode()


def refused(text: bytes, max_bytes: int = envelope.MAX_BYTES) -> Refused:
    with pytest.raises(Refused) as caught:
        envelope.parse(text, now=NOW, max_bytes=max_bytes)
    return caught.value


REFUSED = [
    (b"", "body"),
    (b"{", "body"),
    (b"[]", "body"),
    (b'"echo"', "body"),
    (b"null", "body"),
    (b"{}", "type"),
    (b'{"type": "echo"}', "payload"),
    (b'{"payload": {}}', "type"),
    (b'{"type": null, "payload": {}}', "type"),
    (b'{"type": "echo", "payload": null}', "payload"),
    (b'{"type": "echo", "payload": {}, "payload": {}}', "body"),
    (b'{"type": "echo", "payload": {"a": {"b": 1, "b": 2}}}', "body"),
    (b'{"type": "echo", "payload": {"a": NaN}}', "body"),
    (b'{"type": "echo", "payload": {"a": 1e400}}', "body"),
    (b'{"type": "echo", "payload": {"a\\u0000": 1}}', "body"),
    (b'{"type": "echo", "payload": {"a": "\\ud800"}}', "body"),
    (b'\xef\xbb\xbf{"type": "echo", "payload": {}}', "body"),
    (b'{"type": "echo", "payload": ' + b"[" * 100 + b"]" * 100 + b"}", "body"),
    (body(retries=3), "retries"),
    (body(max_retrys=3), "max_retrys"),
    (body(Type="echo"), "Type"),
    (body(X_trace=1), "X_trace"),
    (body(**{"": 1}), ""),
    (body(**{"y" * 500: 1}), "y" * 80),
    (body(v=2), "v"),
    (body(v="1"), "v"),
    (body(v=True), "v"),
    (body(v=[]), "v"),
    (body(id="42"), "id"),
    (body(id=42), "id"),
    (body(id=ID[:-1]), "id"),
    (body(id=ID.replace("-", "")), "id"),
    (body(id=f"{{{ID}}}"), "id"),
    (body(id=f"urn:uuid:{ID}"), "id"),
    (body(id=ID[:-1] + "g"), "id"),
    (body(id="0" * 32 + "----"), "id"),
    (body(id="\u0660" + ID[1:]), "id"),
    (body(batch_id="b1"), "batch_id"),
    (body(type=""), "type"),
    (body(type=7), "type"),
    (body(type=["echo"]), "type"),
    (body(type="Echo"), "type"),
    (body(type="send-email"), "type"),
    (body(type="send email"), "type"),
    (body(type="echo\n"), "type"),
    (body(type=".echo"), "type"),
    (body(type="echo."), "type"),
    (body(type="a..b"), "type"),
    (body(type="écho"), "type"),
    (body(type="*"), "type"),
    (body(type="#"), "type"),
    (body(type="job"), "type"),
    (body(type="cleanup.job.run"), "type"),
    (body(type="a" * 129), "type"),
    (body(payload=[]), "payload"),
    (body(payload=1), "payload"),
    (body(payload=True), "payload"),
    (body(payload=""), "payload"),
    (body(payload="hello"), "payload"),
    (body(payload="[1]"), "payload"),
    (body(payload='"{}"'), "payload"),
    (body(payload='{"a": NaN}'), "payload"),
    (body(payload='{"a": 1, "a": 2}'), "payload"),
    (body(payload='{"a": "\\u0000"}'), "payload"),
    (body(payload='{"a": "\\ud800"}'), "payload"),
    (body(payload='{"a": ' + "[" * 99 + "]" * 99 + "}"), "payload"),
    (body(priority=0), "priority"),
    (body(priority=11), "priority"),
    (body(priority=-1), "priority"),
    (body(priority=5.0), "priority"),
    (body(priority=True), "priority"),
    (body(priority="5"), "priority"),
    (body(priority="urgent"), "priority"),
    (body(priority="HIGH"), "priority"),
    (body(priority={}), "priority"),
    (body(max_retries=-1), "max_retries"),
    (body(max_retries=1_001), "max_retries"),
    (body(max_retries=3.0), "max_retries"),
    (body(max_retries=True), "max_retries"),
    (body(max_retries="3"), "max_retries"),
    (body(max_retries=10**30), "max_retries"),
    (body(timeout_seconds=0), "timeout_seconds"),
    (body(timeout_seconds=-1), "timeout_seconds"),
    (body(timeout_seconds=True), "timeout_seconds"),
    (body(timeout_seconds="60"), "timeout_seconds"),
    (body(timeout_seconds=604_801), "timeout_seconds"),
    (body(timeout_seconds=10**400), "timeout_seconds"),
    (body(delay=-0.1), "delay"),
    (body(delay=False), "delay"),
    (body(delay="1h"), "delay"),
    (body(delay=1e10), "delay"),
    (body(run_at="tomorrow"), "run_at"),
    (body(run_at=1_800_000_000), "run_at"),
    (body(run_at=""), "run_at"),
    (body(run_at="2030-01-01"), "run_at"),
    (body(run_at="2030-01-01T00:00:00"), "run_at"),
    (body(run_at="2030-02-30T00:00:00Z"), "run_at"),
    (body(run_at="0001-01-01T00:00:00+02:00"), "run_at"),
    (body(run_at="9999-12-31T23:59:59-02:00"), "run_at"),
    (body(run_at="2037-01-01T00:00:00Z"), "run_at"),
    (body(run_at="2030-01-01T00:00:00Z", delay=5), "delay"),
    (body(expires_at="never"), "expires_at"),
    (body(expires_at="2030-01-01T00:00:00"), "expires_at"),
    (body(tags="news"), "tags"),
    (body(tags={"news": 1}), "tags"),
    (body(tags=[""]), "tags"),
    (body(tags=["a", None]), "tags"),
    (body(tags=["a", 1]), "tags"),
    (body(tags=[["a"]]), "tags"),
    (body(tags=["a" * 129]), "tags"),
    (body(tags=[str(n) for n in range(33)]), "tags"),
    (body(idempotency_key=""), "idempotency_key"),
    (body(idempotency_key=7), "idempotency_key"),
    (body(idempotency_key="k" * 257), "idempotency_key"),
]


@pytest.mark.parametrize(("text", "field"), REFUSED, ids=lambda value: repr(value)[:60])
def test_what_is_wrong_is_refused_by_the_name_of_its_field(text: bytes, field: str) -> None:
    refusal = refused(text)

    assert field == refusal.field
    assert refusal.problem
    assert len(str(refusal)) < 500


def test_a_body_above_the_limit_is_refused_before_it_is_read() -> None:
    refusal = refused(b"{" * 101, max_bytes=100)

    assert ("body", "too_large") == (refusal.field, refusal.code)
    assert "101 bytes; at most 100" in str(refusal)


def test_an_unknown_field_is_told_what_is_known() -> None:
    assert "max_retries" in refused(body(max_retrys=3)).remedy
    assert "version 1" in refused(body(max_retrys=3)).remedy


def test_a_refusal_names_the_value_and_the_remedy() -> None:
    assert "priority: 11 is not a priority; use 1 (lowest) to 10 (highest), or low, medium, high" == str(
        refused(body(priority=11))
    )


def test_only_type_and_payload_are_required() -> None:
    parsed = envelope.parse(body(), now=NOW)

    assert envelope.Envelope("echo", {}, b"{}") == parsed


def test_every_field_is_read() -> None:
    parsed = envelope.parse(
        body(
            v=1, id=ID.upper(), priority="high", max_retries=0, timeout_seconds=1, run_at="2026-01-02T05:04:05+01:00",
            expires_at="2027-01-01T00:00:00Z", tags=["b", "a", "b"], batch_id=ID, idempotency_key="k",
            x_note={"a": [1]},
        ),
        now=NOW,
    )  # fmt: skip

    assert envelope.Envelope(
        type="echo", payload={}, payload_json=b"{}", id=UUID(ID), priority=8, max_retries=0, timeout_seconds=1.0,
        run_at=NOW + timedelta(hours=1), expires_at=datetime(2027, 1, 1, tzinfo=UTC), tags=("b", "a"),
        batch_id=UUID(ID), idempotency_key="k", extra={"x_note": {"a": [1]}},
    ) == parsed  # fmt: skip


@pytest.mark.parametrize(("word", "number"), [("low", 2), ("medium", 5), ("high", 8), (1, 1), (10, 10)])
def test_a_priority_may_be_a_word(word: str | int, number: int) -> None:
    assert number == envelope.parse(body(priority=word), now=NOW).priority


@pytest.mark.parametrize(
    "name", [name for name in json.loads(body(v=1, id=ID)) if name not in LEAST] + ["tags", "delay"]
)
def test_null_is_the_same_as_left_out(name: str) -> None:
    assert envelope.parse(body(), now=NOW) == envelope.parse(body(**{name: None}), now=NOW)


def test_a_type_may_have_the_marker_as_part_of_a_word() -> None:
    assert "jobs.my_job" == envelope.parse(body(type="jobs.my_job"), now=NOW).type


@pytest.mark.parametrize(
    "payload",
    [
        "{}",
        '{ "b" : 1,\t"a":\n2 }',
        '{"n":1.0,"m":1E5,"e":1e-7}',
        '{"big":123456789012345678901234567890}',
        '{"escaped":"\\u00e9\\/\\\\u0000"}',
        '{"é":"\U0001f600"}',
        '{"payload":{"payload":1}}',
        '{"a":"}]{["}',
    ],
)
def test_the_payload_is_kept_as_it_was_written(payload: str) -> None:
    """
    Its key order, its spelling of numbers, its spaces: what a sender wrote is what a reader reads back.
    """
    text = f'{{"tags": [], "payload": {payload} , "type": "echo"}}'.encode()
    parsed = envelope.parse(text, now=NOW)

    assert payload.encode() == parsed.payload_json
    assert payload.encode() == envelope.payload_of(envelope.encode(parsed))
    assert json.loads(payload) == parsed.payload


def test_a_payload_may_be_a_text_that_holds_an_object() -> None:
    parsed = envelope.parse(body(payload='{"a": 1.0}'), now=NOW)

    assert ({"a": 1.0}, b'{"a": 1.0}') == (parsed.payload, parsed.payload_json)
    assert b'{"type":"echo","payload":{"a": 1.0}}' == envelope.encode(parsed)


def test_a_payload_is_found_however_its_name_is_spelt() -> None:
    parsed = envelope.parse(b'{"type": "echo", "\\u0070ayload": {"a": 1}}', now=NOW)

    assert b'{"a": 1}' == parsed.payload_json


FULL = body(
    id=ID, priority=7, max_retries=2, timeout_seconds=12.5, delay=90, expires_at="2027-01-01T02:00:00.5+02:00",
    tags=["a", "b"], batch_id=ID, idempotency_key="k", x_options={"n": 10**30, "o": [None, "é"]}, x_="y",
    payload={"é": ["\U0001f600", 10**40]},
)  # fmt: skip


@pytest.mark.parametrize("text", [FULL, body(), body(run_at="2026-06-01T00:00:00+02:00"), body(payload='{"a": 1}')])
def test_what_was_encoded_is_parsed_to_the_same(text: bytes) -> None:
    once = envelope.parse(text, now=NOW)
    again = envelope.parse(envelope.encode(once), now=NOW)

    assert once == again
    assert envelope.encode(once) == envelope.encode(again)


def test_the_same_request_makes_the_same_bytes() -> None:
    """
    So a repeated request has the same hash, and is not taken for another job under the same id.
    """
    asked: dict[str, object] = {"type": "echo", "payload": {"a": 1}, "priority": "high", "delay": 5, "tags": ["a"]}
    turned = dict(reversed(asked.items())) | {"priority": 8, "run_at": None}
    later = NOW + timedelta(days=1)

    assert envelope.encode(envelope.parse(body(**asked), now=NOW)) == envelope.encode(
        envelope.parse(body(**turned), now=later)
    )


def test_the_deepest_payload_in_a_text_is_parsed_again_as_an_object() -> None:
    """
    Inside the body it stands one level deeper than in its text; a job accepted must not be refused by its worker.
    """
    deepest = '{"a": ' + "[" * 98 + "]" * 98 + "}"
    encoded = envelope.encode(envelope.parse(body(payload=deepest), now=NOW))

    assert deepest.encode() == envelope.parse(encoded, now=NOW).payload_json


@pytest.mark.parametrize(
    ("fields", "starts_at"),
    [
        ({}, None),
        ({"delay": 0}, None),
        ({"delay": 90}, NOW + timedelta(seconds=90)),
        ({"run_at": "2026-01-03T00:00:00Z"}, datetime(2026, 1, 3, tzinfo=UTC)),
    ],
)
def test_a_delay_counts_from_the_moment_it_is_seen(fields: dict[str, object], starts_at: datetime | None) -> None:
    assert starts_at == envelope.parse(body(**fields), now=NOW).starts_at(NOW)


def test_the_id_is_given_without_a_change_to_the_rest() -> None:
    parsed = envelope.parse(body(), now=NOW)

    assert (UUID(ID), None) == (parsed.with_id(UUID(ID)).id, parsed.id)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"{", b"[]", b'{"type":1}', b"\xff", b'{"type":"\xff"}', b""])
def test_a_body_that_is_none_names_no_type(body: bytes) -> None:
    assert envelope.type_of(body) is None
