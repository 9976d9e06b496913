"""The settings of mail: the server that takes it, or the folder where it is written while there is none.

The names that other programs use for a mail server are taken as aliases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import Field, SecretStr, field_validator

from wire.mailboxes import Mailbox, mailbox_of
from wire.slices import Slice, Words, also, check_place

PORTS: Final = {"smtps": 465, "smtp": 25}
SUBMISSION: Final = 587  # where a user name is asked for


@dataclass(frozen=True, slots=True)
class Server:
    """The SMTP server that takes our mail."""

    host: str
    port: int
    user: str
    password: SecretStr
    tls: Literal["first", "required", "offered", "never"]

    @property
    def place(self) -> str:
        """Where it is, without what opens it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Mailing(Slice):
    """Mail that jobs send; read by the workers."""

    smtp_url: SecretStr = Field(
        SecretStr(""), description="SMTP server: `smtps://` speaks TLS from the first byte, `smtp://` by STARTTLS. "
        "Without one, mail is written into the outbox folder",
        examples=["smtps://user:password@smtp.example.org"], validation_alias=also("SMTP_URL", "SMTP_URL"),
    )  # fmt: skip
    smtp_host: str = Field(
        "", max_length=255, description="SMTP server, for who names no `WARREN_SMTP_URL`",
        validation_alias=also("SMTP_HOST", "SMTP_HOST", "SMTP_SERVER"),
    )  # fmt: skip
    smtp_port: int = Field(
        0, ge=0, le=65_535, description="Its port; 465 speaks TLS from the first byte. 0: 587 with a user, else 25",
        validation_alias=also("SMTP_PORT", "SMTP_PORT"),
    )  # fmt: skip
    smtp_user: str = Field(
        "", max_length=320, description="User there", validation_alias=also("SMTP_USER", "SMTP_USER", "SMTP_USERNAME")
    )
    smtp_password: SecretStr = Field(
        SecretStr(""), description="The user's password", validation_alias=also("SMTP_PASSWORD", "SMTP_PASSWORD")
    )
    smtp_starttls: Literal["auto", "required", "never"] = Field(
        "auto", description="Whether `smtp://` goes on in TLS: auto does if the server offers it, and insists on it "
        "before a password is said"
    )  # fmt: skip
    smtp_certificates: str = Field(
        "", description="File with the certificates that the server's is checked by, if it is not a public one"
    )
    smtp_timeout_seconds: float = Field(30.0, gt=0, le=600, description="Deadline of each answer of the server")
    smtp_connections: int = Field(4, ge=1, le=100, description="Connections to the server that a process may hold")
    mail_from: str = Field(
        "", max_length=400, examples=["Warren <warren@example.org>"],
        description="Sender of all mail; by default the SMTP user if that is an address, else `warren@localhost`",
        validation_alias=also("MAIL_FROM", "MAIL_FROM", "SMTP_FROM", "EMAIL_FROM"),
    )  # fmt: skip
    mail_outbox: str = Field(
        ".warren/outbox", description="Folder for mail while no server is named, a file `.eml` each",
        examples=["/srv/warren/outbox"],
    )  # fmt: skip
    mail_only_to: Words = Field(
        (), description="The only addresses and domains that mail may go to, as on a test system; none: all",
        examples=["example.org,ada@example.com"],
    )  # fmt: skip
    mail_max_bytes: int = Field(
        26_214_400, ge=1_024, le=1_073_741_824, description="Largest mail as it is sent; attachments grow by a third"
    )
    mail_max_recipients: int = Field(100, ge=1, le=10_000, description="Most recipients of a mail")

    @field_validator("smtp_url")
    @classmethod
    def _is_a_server(cls, value: SecretStr) -> SecretStr:
        said = value.get_secret_value()
        if said and said.partition("://")[0].lower() not in PORTS:
            raise ValueError("must begin with smtp:// or smtps://")
        if said:
            check_place(said)
            parts = urlsplit(said)
            if not parts.hostname or "," in parts.netloc or parts.path.strip("/") or parts.query:
                raise ValueError("must be smtp:// or smtps:// with one host, and nothing behind its port")
            if not 0 < _port(parts) <= 65_535:
                raise ValueError("must have a port from 1 to 65535, or none")
        return value

    @field_validator("mail_from")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value:
            mailbox_of(value)
        return value

    @field_validator("mail_only_to")
    @classmethod
    def _are_addresses_or_domains(cls, value: Words) -> Words:
        """In the spelling that an address has when it is judged."""
        return tuple(_spelled(one) for one in value)

    def lets(self, mailbox: Mailbox) -> bool:
        """Whether mail may go there."""
        return not self.mail_only_to or not {mailbox.address.lower(), mailbox.domain}.isdisjoint(self.mail_only_to)

    @property
    def server(self) -> Server | None:
        """None: mail is written into the folder."""
        said = urlsplit(self.smtp_url.get_secret_value())
        if said.hostname:
            first = said.scheme.lower() == "smtps"
            user, password = unquote(said.username or ""), SecretStr(unquote(said.password or ""))
            return self._server(said.hostname, said.port or 0, user, password, first=first)
        if not self.smtp_host:
            return None
        return self._server(
            self.smtp_host, self.smtp_port, self.smtp_user, self.smtp_password, first=self.smtp_port == PORTS["smtps"]
        )

    @property
    def sender(self) -> str:
        """As it is written in a mail."""
        user = self.server.user if self.server else ""
        return self.mail_from or (user if "@" in user else "warren@localhost")

    def _server(self, host: str, port: int, user: str, password: SecretStr, *, first: bool) -> Server:
        tls: Literal["first", "required", "offered", "never"]
        if first:
            tls = "first"
        elif self.smtp_starttls == "auto":
            tls = "required" if user else "offered"
        else:
            tls = self.smtp_starttls
        usual = PORTS["smtps"] if first else SUBMISSION if user else PORTS["smtp"]
        return Server(host, port or usual, user, password, tls)


def _spelled(allowed: str) -> str:
    try:
        read = mailbox_of(allowed if "@" in allowed else f"anybody@{allowed}")
    except ValueError:
        raise ValueError("must be addresses and domains, as in example.org,ada@example.com") from None
    return read.address.lower() if "@" in allowed else read.domain


def _port(parts: SplitResult) -> int:
    try:
        return 1 if parts.port is None else parts.port
    except ValueError:
        return 0
