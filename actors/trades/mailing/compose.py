"""A mail in the bytes that are sent: judged as a whole, then written part by part.

The same mail of the same job becomes the same bytes but for its date, under a Message-ID that is made of the job's id,
so that whoever gets it twice can tell.  Headers are encoded here and by the library's plain writer: its modern one
reads a header before it writes it, and what a stranger has encoded in a subject would come out as lines of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import charset, encoders
from email.header import Header
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime
from typing import Final

from actors.trades.mailing.failures import WrongMail
from actors.trades.mailing.mail import Attachment, Mail
from wire.mailboxes import Mailbox, check_line, mailbox_of
from wire.slices.mailing import Mailing

MOST_SUBJECT: Final = 900  # characters
MOST_NAME: Final = 200
MOST_HEADERS: Final = 50
MOST_HEADER: Final = 2_000
LONGEST_LINE: Final = 900  # a mail's line has at most 998 bytes, with the header's name
HEADER_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,75}")
CONTENT_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}")
OURS: Final = frozenset({
    "auto-submitted", "bcc", "cc", "content-disposition", "content-id", "content-transfer-encoding", "content-type",
    "date", "dkim-signature", "from", "message-id", "mime-version", "received", "reply-to", "return-path", "sender",
    "subject", "to", "x-warren-job",
})  # fmt: skip
READABLE: Final = 6  # quoted-printable, if at most one sign of so many needs quoting; else base64 is shorter
WRITER: Final = compat32.clone(linesep="\r\n", max_line_length=76)


@dataclass(frozen=True, slots=True)
class Composed:
    """A mail that can be handed over."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]  # each once
    content: bytes
    wired: bytes  # the same as SMTP carries it, where a dot alone on a line is the end
    plain: bool  # whether all addresses are ASCII


def compose(mail: Mail, settings: Mailing, mark: str, job: str = "", *, show_bcc: bool = False) -> Composed:
    """The mail as it is sent; WrongMail names the field that is wrong.  `mark` is what its Message-ID is made of."""
    sender = mailbox_of(settings.sender)
    to, cc, bcc = (_mailboxes(said, field) for field, said in (("to", mail.to), ("cc", mail.cc), ("bcc", mail.bcc)))
    recipients = _recipients([*to, *cc, *bcc], settings)
    message_id = f"<{mark}@{sender.domain}>"
    _check_size(sum(file.path.stat().st_size for file in mail.attachments) * 4 // 3, settings)
    headers = [*_headers(mail, sender, to, cc, bcc if show_bcc else []), ("Message-ID", message_id)]
    if job:
        headers.append(("X-Warren-Job", job))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    content = head.encode() + _body(mail, mark).as_bytes(policy=WRITER)
    _check_size(len(content), settings)
    plain = sender.plain and all(one.plain for one in (*to, *cc, *bcc))
    return Composed(message_id, sender.address, recipients, content, _wired(content), plain)


def _wired(content: bytes) -> bytes:
    ended = content if content.endswith(b"\r\n") else content + b"\r\n"
    return ended.replace(b"\r\n.", b"\r\n..")


def _check_size(size: int, settings: Mailing) -> None:
    if size > settings.mail_max_bytes:
        raise WrongMail(
            f"attachments: the mail would have {size} bytes, WARREN_MAIL_MAX_BYTES allows {settings.mail_max_bytes}; "
            "send a link to what is large"
        )


def _mailboxes(said: Sequence[str], field: str) -> list[Mailbox]:
    return [_judged(one, f"{field}.{place}") for place, one in enumerate(said)]


def _judged(said: str, field: str) -> Mailbox:
    try:
        return mailbox_of(said)
    except ValueError as e:
        raise WrongMail(f"{field}: {e}") from None


def _recipients(mailboxes: list[Mailbox], settings: Mailing) -> tuple[str, ...]:
    if not mailboxes:
        raise WrongMail("to: nobody is to get this mail; name at least one address")
    addresses = tuple(dict.fromkeys(one.address for one in mailboxes))
    if len(addresses) > settings.mail_max_recipients:
        raise WrongMail(
            f"to: {len(addresses)} recipients, WARREN_MAIL_MAX_RECIPIENTS allows {settings.mail_max_recipients}; "
            "send several mails"
        )
    for one in mailboxes:
        if not settings.lets(one):
            raise WrongMail(f"to: {one.address} is none of those that WARREN_MAIL_ONLY_TO lets mail go to")
    return addresses


def _headers(
    mail: Mail, sender: Mailbox, to: list[Mailbox], cc: list[Mailbox], bcc: list[Mailbox]
) -> Iterator[tuple[str, str]]:
    yield "From", _shown([sender])
    if to:
        yield "To", _shown(to)
    elif not cc:
        yield "To", "undisclosed-recipients:;"
    if cc:
        yield "Cc", _shown(cc)
    if bcc:
        yield "Bcc", _shown(bcc)
    if mail.reply_to is not None:
        yield "Reply-To", _shown([_judged(mail.reply_to, "reply_to")])
    yield "Subject", _encoded(mail.subject, "subject", MOST_SUBJECT)
    yield "Date", format_datetime(datetime.now(UTC))
    yield "Auto-Submitted", "auto-generated"  # so that nobody's holiday answers
    yield from _extra(mail.headers)


def _extra(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if len(headers) > MOST_HEADERS:
        raise WrongMail(f"headers: {len(headers)} of them, at most {MOST_HEADERS} are taken")
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise WrongMail("headers: a name is letters, digits and hyphens, at most 76")
        if name.lower() in OURS:
            raise WrongMail(f"headers.{name}: is written by Warren; a field of the mail says it, or nothing can")
        yield name, _encoded(value, f"headers.{name}", MOST_HEADER)


def _encoded(said: str, field: str, most: int) -> str:
    """As it goes on a header's line; what looks encoded already is encoded once more, so that it stays what it is."""
    if len(said) > most:
        raise WrongMail(f"{field}: has {len(said)} characters, at most {most} are taken")
    try:
        check_line(said)
    except ValueError as e:
        raise WrongMail(f"{field}: {e}") from None
    plain = said.isascii() and "=?" not in said and len(said) <= LONGEST_LINE
    return said if plain else _word(said)


def _shown(mailboxes: list[Mailbox]) -> str:
    return ",\r\n ".join(map(_one, mailboxes))


def _one(mailbox: Mailbox) -> str:
    name = mailbox.name
    if not name:
        return mailbox.address
    if name.isascii() and "=?" not in name:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{mailbox.address}>'
    return f"{_word(name)} <{mailbox.address}>"


def _word(said: str) -> str:
    """As encoded words, on as many lines as they need."""
    return Header(said, "utf-8", maxlinelen=70).encode(linesep="\r\n")


def _body(mail: Mail, mark: str) -> MIMEBase:
    """Text, or both kinds of it, and what is attached; boundaries cannot occur in what is quoted or base64."""
    body: MIMEBase = _text(mail.text, "plain")
    if mail.html is not None:
        kinds = [_text(mail.text, "plain"), _text(mail.html, "html")] if mail.text else [_text(mail.html, "html")]
        body = MIMEMultipart("alternative", f"=_{mark}_kinds", kinds) if len(kinds) > 1 else kinds[0]
    if not mail.attachments:
        return body
    files = [_attached(one, f"attachments.{place}") for place, one in enumerate(mail.attachments)]
    return MIMEMultipart("mixed", f"=_{mark}_parts", [body, *files])


def _text(said: str, kind: str) -> MIMEText:
    """Quoted, so that a person can read it in the file, unless most of it would have to be."""
    said = said.replace("\r\n", "\n").replace("\r", "\n")
    try:
        size = len(said.encode())
    except UnicodeEncodeError:
        raise WrongMail("body: has half of a sign (a lone surrogate), which no mail can hold") from None
    coded = charset.Charset("utf-8")
    coded.body_encoding = charset.BASE64 if (size - len(said)) * READABLE > size else charset.QP
    if coded.body_encoding == charset.BASE64:
        said = said.replace("\n", "\r\n")  # nobody between here and the reader will
    return MIMEText(said, kind, coded)  # type: ignore[arg-type]  # it takes a Charset as well


def _attached(file: Attachment, field: str) -> MIMEBase:
    name = file.name
    if not name or len(name) > MOST_NAME or "/" in name or "\\" in name:
        raise WrongMail(f"{field}: a name has 1 to {MOST_NAME} characters and no slashes")
    try:
        check_line(name)
    except ValueError as e:
        raise WrongMail(f"{field}: its name {e}") from None
    kind = file.content_type.partition(";")[0].strip()
    main, _, sub = (kind if CONTENT_TYPE.fullmatch(kind) else "application/octet-stream").partition("/")
    if main.lower() in ("multipart", "message"):  # which would be read as a part of this mail
        main, sub = "application", "octet-stream"
    part = MIMEBase(main, sub)
    part.set_payload(file.path.read_bytes())
    encoders.encode_base64(part)
    plain = name.isascii() and not set('"%') & set(name)
    part.add_header("Content-Disposition", "attachment", filename=name if plain else ("utf-8", "", name))
    return part
