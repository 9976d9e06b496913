"""The public face: its names, its command, and the pages that the command writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import warren
from deploy.pages.metrics import MARK, metrics_page
from deploy.pages.settings import env_example, settings_page
from wire import settings, topology
from wire.metrics.table import TABLE
from wire.settings import IGNORED, REPLACED
from wire.slices import INTERNAL, environment_names
from wire.topology import Profile
from wire.version import VERSION

ROOT = Path(__file__).parents[2]


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert warren.main(words) == 0
    return capsys.readouterr().out


def test_every_public_name_is_there() -> None:
    assert all(getattr(warren, name) for name in warren.__all__)


def test_another_name_is_refused_in_the_usual_words() -> None:
    with pytest.raises(AttributeError, match="module 'warren' has no attribute 'jobs'"):
        _ = warren.jobs


def test_the_public_face_loads_nothing_by_itself() -> None:
    """
    A service that imports one name does not pay for the engine.
    """
    program = "import sys, warren; print(sorted({'dramatiq', 'pika', 'pydantic', 'asyncpg'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "[]" == told.stdout.strip()


def test_the_settings_page_is_the_one_that_is_generated(capsys: pytest.CaptureFixture[str]) -> None:
    """
    If it is not: `warren settings > docs/settings.md`.
    """
    assert (ROOT / "docs/settings.md").read_text() == printed(capsys, "settings") == settings_page()


def test_the_example_of_a_dotenv_is_the_one_that_is_generated(capsys: pytest.CaptureFixture[str]) -> None:
    """
    If it is not: `warren settings --env > .env.example`.
    """
    assert (ROOT / ".env.example").read_text() == printed(capsys, "settings", "--env") == env_example()


def test_the_page_of_metrics_ends_as_it_is_generated(capsys: pytest.CaptureFixture[str]) -> None:
    """
    If it does not: put what `warren metrics` prints in the place of its tables.
    """
    _, mark, tables = (ROOT / "docs/metrics.md").read_text().partition(MARK)

    assert mark + tables == printed(capsys, "metrics") == metrics_page()


def test_the_page_of_job_types_ends_as_it_is_generated() -> None:
    """
    If it does not: put what `warren job-types` prints in the place of its tables.
    """
    told = subprocess.run(
        [sys.executable, "-m", "warren", "job-types"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    first_line = told.partition("\n")[0]
    page = (ROOT / "docs/job-types.md").read_text()

    assert told == page[page.index(first_line) :]


def test_the_page_of_metrics_has_every_name() -> None:
    assert [] == [metric.name for metric in TABLE if f"| `{metric.name}` |" not in metrics_page()]


def test_the_settings_page_has_every_name() -> None:
    names = {
        n for owner, field, _ in settings.fields() if field not in INTERNAL for n in environment_names(owner, field)
    }
    missing = [name for name in names | REPLACED.keys() | IGNORED.keys() if f"`{name}`" not in settings_page()]

    assert [] == missing


def test_the_example_changes_nothing_until_a_mark_is_taken_off() -> None:
    said = [line for line in env_example().splitlines() if line and not line.startswith("#")]

    assert [] == said


def test_the_example_without_its_marks_is_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = [line.removeprefix("# ") for line in env_example().splitlines() if line.startswith("# WARREN_")]
    (tmp_path / ".env").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", {})
    loaded = settings.load()

    assert (settings.Limits(), settings.Gateway(), settings.Logs()) == (loaded.limits, loaded.gateway, loaded.logs)
    assert settings.Worker() == loaded.worker


@pytest.mark.parametrize("profile", Profile)
def test_the_topology_page_has_every_part(capsys: pytest.CaptureFixture[str], profile: Profile) -> None:
    page = printed(capsys, "topology", "--profile", profile.value)
    names = {part.name for part in topology.fixed(profile) if not isinstance(part, topology.Binding)}

    assert [] == [name for name in names if f" {name} " not in page]
    assert len(list(topology.fixed(profile))) + 1 + 4 == sum(line.startswith("  ") for line in page.splitlines())
    assert f"x-queue-type={profile.value}" in page
    assert page.index("→ queue work.<queue> on job.<type>.*") < page.index("→ queue births on job.<type>.*")


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert f"warren {warren.__version__}\n" == printed(capsys, "version")


def test_the_version_is_the_one_that_is_packaged() -> None:
    assert 'version = { attr = "wire.version.VERSION" }' in (ROOT / "pyproject.toml").read_text()
    assert VERSION == warren.__version__


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            [],
            "warren: say what you want: why, logs, schedules, demo, job-types, restore, settings, metrics, topology, "
            "migrate or version; `warren --help` explains\n",
        ),
        (["jobs"], "warren: argument command: invalid choice: 'jobs'"),
        (["settings", "--envv"], "warren: unrecognized arguments: --envv; `warren --help` explains\n"),
        (["topology", "--profile", "lanes"], "warren topology: argument --profile: invalid choice: 'lanes'"),
        (
            ["demo", "--rate", "0"],
            "warren demo: argument --rate: a rate is above 0 and at most 500 jobs a second, got '0'",
        ),
        (
            ["demo", "--duration", "soon"],
            "warren demo: argument --duration: a duration is 60, 90s, 5m or 8h, got 'soon'",
        ),
        (["logs"], "warren logs: the following arguments are required: id; `warren logs --help` explains\n"),
        (["schedules", "stop"], "warren schedules: argument verb: invalid choice: 'stop'"),
        (["schedules", "pause"], "warren schedules pause: the following arguments are required: schedule"),
        (["version", "2"], "warren: unrecognized arguments: 2"),
    ],
)
def test_bad_usage_is_one_clear_sentence(capsys: pytest.CaptureFixture[str], words: list[str], sentence: str) -> None:
    with pytest.raises(SystemExit) as ended:
        warren.main(words)
    told = capsys.readouterr()

    assert (2, "", 1) == (ended.value.code, told.out, len(told.err.splitlines()))
    assert told.err.startswith(sentence)


def test_a_migration_without_settings_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", {})
    monkeypatch.setattr("sys.argv", ["warren", "migrate"])

    assert warren.main(["migrate"]) == 2
    assert "DATABASE_URL is missing" in capsys.readouterr().err
