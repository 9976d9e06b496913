"""The command line over the environment over `.env`."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.terminal.options import parse_up, read_dotenv

ROOT = Path("/code")


@pytest.mark.parametrize(
    ("words", "environ", "port"),
    [
        ([], {}, 8000),
        ([], {"API_PORT": "9"}, 9),
        ([], {"WARREN_PORT": "8", "API_PORT": "9"}, 8),
        (["--port", "7"], {"WARREN_PORT": "8"}, 7),
    ],
)
def test_the_nearest_word_on_the_port_wins(words: list[str], environ: dict[str, str], port: int) -> None:
    assert parse_up(words, ROOT, environ).port == port


@pytest.mark.parametrize(
    "words", [["--port", "0"], ["--port", "x"], ["--workers", "0"], ["--servers", "podman"], ["--colour"]]
)
def test_nonsense_is_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        parse_up(words, ROOT, {})


@pytest.mark.parametrize(
    ("host", "url"),
    [("", "http://127.0.0.1:8000"), ("0.0.0.0", "http://127.0.0.1:8000"), ("10.1.1.1", "http://10.1.1.1:8000")],
)
def test_the_address_is_one_that_this_machine_reaches(host: str, url: str) -> None:
    assert parse_up([], ROOT, {"WARREN_HOST": host}).url == url


@pytest.mark.parametrize(
    ("words", "environ", "port"),
    [
        ([], {}, None),
        ([], {"GRPC_PORT": "9"}, 9),
        ([], {"WARREN_GRPC_PORT": "8", "GRPC_PORT": "9"}, 8),
        (["--grpc-port", "7"], {"WARREN_GRPC_PORT": "8"}, 7),
        (["--grpc-port", "0"], {"WARREN_GRPC_PORT": "8"}, 0),
    ],
)
def test_the_port_of_grpc_is_named_or_left_to_be_found(
    words: list[str], environ: dict[str, str], port: int | None
) -> None:
    assert port == parse_up(words, ROOT, environ).grpc_port


def test_the_first_of_several_keys_is_shown() -> None:
    assert parse_up([], ROOT, {"WARREN_API_KEYS": "one, two"}).api_key == "one"
    assert parse_up([], ROOT, {}).api_key is None


def test_the_data_folder_lies_beside_the_code() -> None:
    assert parse_up([], ROOT, {}).data == ROOT / ".warren"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("export A=1", "1"),
        ("A='a b' # why", "a b"),
        ('A="x#y"', "x#y"),
        ("A=plain # why", "plain"),
        ("A=amqp://u:p@h/%2F?x=1", "amqp://u:p@h/%2F?x=1"),
        ("A=", ""),
        ("#A=1", None),
    ],
)
def test_a_line_of_dotenv(tmp_path: Path, line: str, value: str | None) -> None:
    (tmp_path / ".env").write_text(f"# first\n{line}\n")

    assert read_dotenv(tmp_path / ".env").get("A") == value
