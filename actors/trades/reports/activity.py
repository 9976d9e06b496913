"""The report of Warren's own work: which jobs came in a period, what became of them, and how long they took.

Of jobs that retention has deleted only sums are known (persistence/forgotten/), and the report says how many those are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from actors.trades.reports.period import Period
from actors.trades.reports.report import Bars, Cell, Column, Figure, Report, Table, Tone
from actors.trades.reports.tally import Tally, Times, still_open, success, together
from actors.trades.reports.timeline import MOST_DAYS as MOST_BARS
from actors.trades.reports.timeline import by_days, spoken, steps
from actors.trades.reports.wording import shown
from persistence.questions.activity import activity
from persistence.store.database import Database
from wire.states import State
from wire.times.zones import zone

MOST_TYPES: Final = 12  # in a chart
MOST_CAUSES: Final = 25

Say = Callable[[float], None]


async def tallied(database: Database, period: Period, say: Say) -> Tally:
    """All jobs of a period, read piece by piece."""
    tally, bounds = Tally(), period.bounds
    async for piece in activity(database, bounds):
        tally.add(piece)
        if not piece.forgotten:
            say(_share(piece.until.created_at, bounds))
    return tally


def _share(moment: datetime, bounds: Sequence[datetime]) -> float:
    ends = min(bounds[-1], datetime.now(UTC))
    whole = (ends - bounds[0]).total_seconds()
    return min(1.0, (moment - bounds[0]).total_seconds() / whole) if whole > 0 else 1.0


def report(tally: Tally, period: Period, made_at: datetime) -> Report:
    """The report of what was counted."""
    return Report(
        kicker="Activity report",
        title="Job activity",
        about="Jobs that came in this period, through any door, and what has become of them.",
        period=period,
        made_at=made_at,
        figures=_figures(tally),
        charts=_charts(tally, period) if tally.jobs else (),
        tables=_tables(tally, period) if tally.jobs else (),
        detail=_detail(tally, period),
        highlights=_highlights(tally, period),
        notes=_notes(tally),
    )


def _figures(tally: Tally) -> list[Figure]:
    states, ran, waited = tally.states, together(tally.ran), together(tally.waited)
    rate, failed = success(states), states[State.FAILED]
    return [
        Figure("Jobs", tally.jobs, note=_plural(len(tally.by_type), "type")),
        Figure("Success", rate, "share", f"{states[State.COMPLETED]:,} completed", tone=_tone(rate)),
        Figure("Failed", failed, note=f"after {_plural(tally.retries, 'retry')}", tone="bad" if failed else "plain"),
        Figure("Median run", ran.quantile(0.5), "seconds", "of the last attempt"),
        Figure("95 % ran within", ran.quantile(0.95), "seconds", "of the last attempt"),
        Figure("Median wait", waited.quantile(0.5), "seconds", "until the start"),
    ]


def _tone(rate: float | None) -> Tone:
    return "plain" if rate is None else "good" if rate >= 0.99 else "bad" if rate < 0.9 else "plain"


def _highlights(tally: Tally, period: Period) -> list[str]:
    if not tally.jobs:
        return [f"No job came in this period, {period.told}."]
    busiest = tally.types()[0]
    told = [f"{busiest} made up {shown(tally.by_type[busiest].total() / tally.jobs, 'share')} of all jobs."]
    if len(tally.by_day) > 1:
        day = max(tally.by_day, key=lambda day: tally.by_day[day].total())
        told.append(f"The busiest day was {spoken(period.days[day])} with {_plural(tally.by_day[day].total(), 'job')}.")
    if tally.causes:
        (kind, error), cause = max(tally.causes.items(), key=lambda item: item[1].jobs)
        told.append(f"The most frequent failure was {error or 'without a name'} in {kind}, {_often(cause.jobs)}.")
    if waiting := still_open(tally.states):
        told.append(f"{_plural(waiting, 'job')} of this period had not ended when the report was made.")
    return told


def _charts(tally: Tally, period: Period) -> list[Bars]:
    busiest = tally.types()[:MOST_TYPES]
    return [
        _stacked("Jobs by day" if by_days(period) else "Jobs by month", *_timeline(tally, period)),
        _stacked("Jobs by type", busiest, [tally.by_type[name] for name in busiest], lying=True),
    ]


def _timeline(tally: Tally, period: Period) -> tuple[list[str], list[Counter[str]]]:
    """A bar a day, or where these would be too many, one a month."""
    days, bars = dict(enumerate(period.days)), []
    for step in steps(period):
        bars.append(Counter[str]())
        for number in (number for number in tally.by_day if step.has(days[number])):
            bars[-1].update(tally.by_day[number])
    return [step.label for step in steps(period)], bars


def _stacked(title: str, places: list[str], found: Sequence[Counter[str]], *, lying: bool = False) -> Bars:
    parts = [
        ("Completed", "good", [states[State.COMPLETED] for states in found]),
        ("Failed", "bad", [states[State.FAILED] for states in found]),
        ("Cancelled or expired", "muted", [states[State.CANCELLED] + states[State.EXPIRED] for states in found]),
        ("Not ended", "open", [still_open(states) for states in found]),
    ]
    return Bars(title, places, [part for part in parts if any(part[2])], lying=lying)


def _tables(tally: Tally, period: Period) -> list[Table]:
    return [_by_type(tally), _failures(tally), _slowest(tally, period), _by_steps(tally, period)]


def _by_type(tally: Tally) -> Table:
    columns = [
        Column("Type"), Column("Jobs", "count"), Column("Completed", "count"), Column("Failed", "count"),
        Column("Other", "count"), Column("Retries", "count"), Column("Success", "share"), Column("Median", "seconds"),
        Column("95 %", "seconds"), Column("Longest", "seconds"),
    ]  # fmt: skip

    def row(name: str, states: Counter[str], retries: int) -> list[Cell]:
        ran = tally.ran.get(name, Times())
        done, failed = states[State.COMPLETED], states[State.FAILED]
        return [
            name,
            states.total(),
            done,
            failed,
            states.total() - done - failed,
            retries,
            success(states),
            *_times(ran),
        ]

    rows = [row(name, tally.by_type[name], tally.retries_by_type[name]) for name in tally.types()]
    total = ["All", *row("", tally.states, tally.retries)[1:7], *_times(together(tally.ran))]
    return Table(
        "By type", columns, rows, total if rows else None, note="Run times are those of the last attempt.", most=40
    )


def _times(ran: Times) -> list[Cell]:
    return [ran.quantile(0.5), ran.quantile(0.95), ran.longest]


def _failures(tally: Tally) -> Table:
    columns = [Column("Type"), Column("Error"), Column("Jobs", "count"), Column("What one of them said")]
    found = sorted(tally.causes.items(), key=lambda item: (-item[1].jobs, item[0]))
    rows: list[list[Cell]] = [
        [kind, error or "–", cause.jobs, cause.message or "–"] for (kind, error), cause in found[:MOST_CAUSES]
    ]
    left = len(found) - len(rows)
    note = f"{_plural(left, 'rarer cause')} left out." if left else ""
    return Table("Failures by cause", columns, rows, note=note, empty="No job of this period failed.")


def _slowest(tally: Tally, period: Period) -> Table:
    columns = [
        Column("Job", "id"),
        Column("Type"),
        Column("Came", "moment"),
        Column("State", "word"),
        Column("Ran", "seconds"),
    ]
    rules = zone(period.time_zone)
    rows: list[list[Cell]] = [
        [slow.id, slow.type, slow.created_at.astimezone(rules), slow.state, slow.seconds] for slow in tally.slowest
    ]
    return Table("Longest runs", columns, rows, empty="No job of this period has ended.")


def _by_steps(tally: Tally, period: Period) -> Table:
    name = "Day" if by_days(period) else "Month"
    columns = [Column(name, "word"), *(Column(end, "count") for end in (*_ENDS, "Jobs")), Column("Success", "share")]
    rows: list[list[Cell]] = [
        [label, *_ends(states), states.total(), success(states)]
        for label, states in zip(*_timeline(tally, period), strict=True)
        if states
    ]
    total: list[Cell] = ["All", *_ends(tally.states), tally.jobs, success(tally.states)]
    return Table(
        f"By {name.lower()}", columns, rows, total, most=MOST_BARS, note=f"{name}s without a job are left out."
    )


def _detail(tally: Tally, period: Period) -> Table:
    columns = [Column("day", "day"), Column("type"), *(Column(name.lower().replace(" ", "_"), "count") for name in
               (*_ENDS, "Jobs", "Retries"))]  # fmt: skip
    rows: list[list[Cell]] = [
        [period.days[day], name, *_ends(states), states.total(), tally.retries_by_both[day, name]]
        for (day, name), states in sorted(tally.by_both.items())
    ]
    return Table("Jobs by day and type", columns, rows)


_ENDS: Final = ("Completed", "Failed", "Cancelled", "Expired", "Not ended")


def _ends(states: Counter[str]) -> list[Cell]:
    ended = (State.COMPLETED, State.FAILED, State.CANCELLED, State.EXPIRED)
    return [*(states[state] for state in ended), still_open(states)]


def _notes(tally: Tally) -> list[str]:
    told = ["A job belongs to the day on which it came. Medians and 95 % are told to five per cent."]
    if tally.forgotten:
        told.append(
            f"{_plural(tally.forgotten, 'job')} of this period have been deleted since, by retention. They are counted "
            "here; waits, causes of failures and the longest runs are told of those that are still kept."
        )
    return told


def _plural(count: int, thing: str) -> str:
    several = thing.removesuffix("y") + "ies" if thing.endswith("y") else f"{thing}s"
    return f"{count:,} {thing if count == 1 else several}"


def _often(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{count:,} times"
