"""A number beside the one that it is compared with, in words and as a share of it."""

from __future__ import annotations

from actors.trades.reports.period import Period
from actors.trades.reports.wording import shown


def change(now: float | None, then: float | None) -> float | None:
    """By which share of what it was it has changed; None where it was nothing, or is not known."""
    return None if now is None or not then else (now - then) / abs(then)


def against(now: float | None, then: float | None, before: Period) -> str:
    """+12.5 % on September 2026."""
    changed = change(now, then)
    if changed is None:
        return f"nothing in {before.told}"
    return f"{shown(changed, 'change')} on {before.told}" if round(changed, 3) else f"as in {before.told}"


def moved(changed: float) -> str:
    """Grew by 12.5 %, or fell."""
    share = shown(abs(changed), "share")
    return f"grew by {share}" if changed > 0 else f"fell by {share}" if changed < 0 else "did not change"
