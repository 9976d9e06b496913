"""Keep what could not be decoded, routed or finished: its bytes, its headers, the reason, the way it came.

Nothing is dropped silently and no time limit eats it.  The same message is one letter, however often and by whomever it
is refused: recorder and worker each meet a copy.  Who asked for an answer is told of the refusal, once, by a reply that
the same statement writes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from persistence.store.database import Database
from wire.agreement import named_type, reply_to
from wire.errors import Refused
from wire.identity import body_hash
from wire.message import Incoming, ReplyTo

MOST_WORDS: Final = 2_000  # of a detail; enough to tell causes apart

# what one sender's message says and another's says otherwise: quoted words, JSON, ids, numbers
_VALUE = re.compile(
    r"""'[^']*' | "(?:[^"\\]|\\.)*" | \{.*\} | \[.*\]
      | \b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b | \b[0-9a-fA-F]{12,}\b
      | [-+]?\d+(?:[.,:eE+-]+\d+)* | \b(?:true|false|null)\b""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that nobody will do, and why."""

    message: Incoming
    reason: str  # a word: malformed, unroutable, unknown_type, orphan, id_reused, …
    detail: str  # a sentence that names the field and the remedy


_KEEP = """
WITH given AS MATERIALIZED (
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], $8::text[],
                       $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
    AS g(job_id, message_id, type, body, body_hash, headers, exchange, routing_key, queue, reason, detail, fingerprint,
         reply_to, correlation_id)
), kept AS (
  INSERT INTO dead_letters (job_id, message_id, type, body, body_hash, headers, exchange, routing_key, queue, reason,
                            detail, fingerprint)
  SELECT job_id, message_id, type, body, body_hash, headers::json, exchange, routing_key, queue, reason, detail,
         fingerprint
    FROM given ORDER BY message_id, body_hash
      ON CONFLICT DO NOTHING
  RETURNING id, job_id, message_id, type, body_hash, reason, detail
)
INSERT INTO replies (job_id, type, reply_to, correlation_id, body)
SELECT DISTINCT ON (k.id) k.job_id, k.type, g.reply_to, g.correlation_id, json_build_object(
         'id', k.job_id, 'type', k.type, 'state', 'refused', 'reason', k.reason, 'result', NULL,
         'error', json_build_object('type', 'Refused', 'message', k.detail), 'dead_letter', k.id)
  FROM kept k JOIN given g ON g.message_id = k.message_id AND g.body_hash = k.body_hash
 WHERE g.reply_to IS NOT NULL ORDER BY k.id
"""


async def keep(database: Database, letters: Sequence[DeadLetter]) -> None:
    """Store these; a letter that is kept already stays as it was."""
    if letters:
        await database.fetch(_KEEP, *[list(column) for column in zip(*map(_row, letters), strict=True)])


def fingerprint(reason: str, job_type: str | None, detail: str) -> str:
    """What letters of one cause have in common: the problem's words without the values in them and the remedy."""
    words = _VALUE.sub("*", detail[:MOST_WORDS].partition(";")[0])
    return hashlib.blake2b(f"{reason}\n{job_type}\n{words}".encode(), digest_size=8).hexdigest()


def _row(letter: DeadLetter) -> tuple[object, ...]:
    message, job_type, detail = letter.message, _plain(named_type(letter.message)), _plain(letter.detail) or ""
    asked = _asked(message)
    return (
        _uuid(message.message_id), _plain(message.message_id) or "", job_type, message.body, body_hash(message.body),
        _headers(message), _plain(message.exchange), _plain(message.routing_key), message.queue, letter.reason,
        detail, fingerprint(letter.reason, job_type, detail), asked and asked.queue, asked and asked.correlation_id,
    )  # fmt: skip


def _asked(message: Incoming) -> ReplyTo | None:
    """Whom to tell, if that can be done."""
    try:
        return reply_to(message)
    except Refused:
        return None


def _headers(message: Incoming) -> str:
    properties = {
        "content_type": message.content_type,
        "content_encoding": message.content_encoding,
        "app_id": message.app_id,
        "priority": message.priority,
        "reply_to": message.reply_to,
        "correlation_id": message.correlation_id,
    }
    said = {name: value for name, value in properties.items() if value is not None}
    try:
        text = json.dumps({"headers": dict(message.headers), "properties": said}, default=str, skipkeys=True)
    except (RecursionError, ValueError, TypeError) as e:  # nested a thousand deep: the letter matters more
        text = json.dumps({"headers": {"unreadable": type(e).__name__}, "properties": said})
    # a header may be a NaN, which Python writes and Postgres refuses: one such message would stop the recorder for ever
    return json.dumps(json.loads(text, parse_constant=str)).replace("\\u0000", "\\ufffd")


def _plain(text: str | None) -> str | None:
    """Text that Postgres takes."""
    return None if text is None else text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
