"""What `deploy/prove` may be asked."""

from __future__ import annotations

import pytest

from deploy.terminal.options import Prove, parse_prove


def test_it_proves_twenty_thousand_jobs_with_two_workers_unless_told_otherwise() -> None:
    assert Prove(jobs=20_000, against=None, workers=2, keep=False) == parse_prove([])
    assert Prove(jobs=500, against="dramatiq", workers=3, keep=True) == parse_prove(
        ["--jobs", "500", "--against", "dramatiq", "--workers", "3", "--keep"]
    )


@pytest.mark.parametrize(
    "words", [["--jobs", "0"], ["--jobs", "many"], ["--against", "celery"], ["--workers", "0"], ["more"]]
)
def test_nonsense_is_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        parse_prove(words)
