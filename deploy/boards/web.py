"""The web: what jobs ask of it, what it answers, how they wait for their turns at its hosts; and the mail they send."""

from __future__ import annotations

from deploy.boards.panel import BYTES, PER_SECOND, SECONDS, Board, Row, curve
from deploy.boards.promql import or_zero, quantile, rate
from wire.metrics import table

BOARD = Board(
    "warren-web",
    "Warren: the web",
    "What jobs fetch, what hosts answer, how jobs wait for their turns at them, and the mail that jobs send.",
    (
        Row("Requests", (
            curve("Answers", "A second, each redirect one, by the class of the answer; a word is why there was none. "
                  "forbidden: an address that jobs may not reach.",
                  (or_zero(rate(table.OUTBOUND, "answer")), "{{answer}}"), unit=PER_SECOND),
            curve("How long", "From a request to the end of its answer: half of them, and 95 of 100.",
                  (quantile(0.5, table.OUTBOUND_SECONDS), "half"),
                  (quantile(0.95, table.OUTBOUND_SECONDS), "95 of 100"), unit=SECONDS),
            curve("Bytes", "Of bodies, as packed, a second.", (or_zero(rate(table.OUTBOUND_BYTES)), "bytes"),
                  unit=BYTES),
        )),
        Row("Hosts", (
            curve("Turns", "Asked for a second, by the answer. promised: the job comes back when its turn has come. "
                  "in_line: behind more than its host can take.",
                  (or_zero(rate(table.HOST_TURNS, "answer")), "{{answer}}"), unit=PER_SECOND),
            curve("Slowed down", "Hosts that are asked less often from then on: they refused (429, 503), or they are "
                  "slow.", (or_zero(rate(table.HOST_SLOWDOWNS, "because")), "{{because}}"), unit=PER_SECOND),
            curve("robots.txt", "Read a second, by what came of it.",
                  (or_zero(rate(table.ROBOTS, "answer")), "{{answer}}"), unit=PER_SECOND),
        )),
        Row("Mail", (
            curve("Mails", "That jobs sent, a second, by what became of them. not_now: the server wants to be asked "
                  "later, or refuses the login. away: none answers. written: into the outbox folder.",
                  (or_zero(rate(table.MAILS, "outcome")), "{{outcome}}"), unit=PER_SECOND),
            curve("How long a mail takes", "Until the server has taken it or not: half of them, and 95 of 100.",
                  (quantile(0.5, table.MAIL_SECONDS), "half"),
                  (quantile(0.95, table.MAIL_SECONDS), "95 of 100"), unit=SECONDS),
        )),
    ),
)  # fmt: skip
