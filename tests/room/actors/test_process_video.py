"""`process_video` as a job: what it answers, and how it ends when it cannot."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from uuid import UUID

import av
import pytest

from actors.catalogue.process_video import Film, named, process_video
from actors.configured import configured_as
from persistence.artifacts.artifact import checked_name
from warren import run_inline
from wire.errors import Refused
from wire.slices.artifacts import Artifacts
from wire.slices.films import Films

ASKED = {"video_url": "sample:clip", "output_format": "mp4", "duration": 1}


def test_the_result_is_what_a_player_finds() -> None:
    ran = run_inline(process_video, ASKED)
    told = [fraction for fraction, _ in ran.progress if fraction is not None]
    with av.open(BytesIO(ran.artifacts["clip.mp4"])) as film:
        frames = [frame.time for frame in film.decode(video=0)]

    assert "completed" == ran.ended
    assert {
        "name": "clip.mp4",
        "content_type": "video/mp4",
        "seconds": 1.0,
        "frames": 25,
    }.items() <= ran.result.items()
    assert {"width": 640, "height": 360, "video_codec": "h264", "audio_codec": "aac"}.items() <= ran.result.items()
    assert {"container": "mov", "seconds": 12.0, "video_codec": "h264"}.items() <= ran.result["source"].items()
    assert UUID(ran.result["artifact"])
    assert (25, len(ran.artifacts["clip.mp4"])) == (len(frames), ran.result["size_bytes"])
    assert ((0.0, "bringing the film"), (1.0, "1.0 s of film")) == (ran.progress[0], ran.progress[-1])
    assert told == sorted(told)


def test_a_film_has_one_source() -> None:
    both = {"video_url": "sample:clip", "artifact": "01a1ff89-1f05-7f6e-9bd0-e75ba8d33a0d"}
    with pytest.raises(Refused, match=r"payload\.video_url: does not go with artifact; name one of the two"):
        run_inline(process_video, both)
    with pytest.raises(ValueError, match="video_url or artifact is needed, and one of them only"):
        Film.model_validate(both)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"video_url": "sample:sales_data"}, "payload.video_url: it is not a film: no mp4, mov, mkv, webm, avi,"),
        ({"video_url": "http://127.0.0.1/film.mp4"}, "payload.video_url: "),
    ],
)
def test_what_is_no_film_fails_for_good(payload: dict[str, object], said: str) -> None:
    ran = run_inline(process_video, payload)

    assert ("failed", "permanent") == (ran.ended, ran.reason)
    assert str(ran.error).startswith(said)
    assert "/" not in str(ran.error).removeprefix("payload.video_url: http://127.0.0.1")


def test_a_result_that_is_too_large_is_refused_while_it_is_made() -> None:
    with configured_as(Artifacts(max_artifact_bytes=1_024)):
        ran = run_inline(process_video, {"video_url": "sample:clip", "output_format": "wav"})

    assert ("failed", "permanent") == (ran.ended, ran.reason)
    assert "what is made of it has more than 1024 bytes (WARREN_MAX_ARTIFACT_BYTES)" in str(ran.error)


def test_a_film_of_too_many_pictures_is_refused() -> None:
    with configured_as(Films(video_max_pictures=299)):
        ran = run_inline(process_video, {"video_url": "sample:clip", "output_format": "gif"})

    assert ("failed", "permanent") == (ran.ended, ran.reason)
    assert "it has more than 299 pictures (WARREN_VIDEO_MAX_PICTURES)" in str(ran.error)


@pytest.mark.parametrize(
    ("came", "kept"),
    [
        ("a/film.avi", "film.mp4"),
        ("two\nlines.mkv", "two_lines.mp4"),
        ("Ünïcode \u202e.mov", "Ünïcode _.mp4"),
        ("x", "x.mp4"),
    ],
)
def test_the_new_film_is_called_as_the_old_one(came: str, kept: str) -> None:
    assert kept == named(Path(came), "mp4") == checked_name(named(Path(came), "mp4"))


def test_a_cancelled_film_is_not_finished() -> None:
    ran = run_inline(process_video, {"video_url": "sample:clip"}, cancelled=True)

    assert ("cancelled", {}) == (ran.ended, dict(ran.artifacts))
