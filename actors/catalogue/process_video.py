"""`process_video`: a film, or the first seconds of it, in another format and size; the new film is an artifact.

It runs in a child process, for what reads it is a large library of C that gets whatever a stranger has sent.  A file
that is no film is none the next time either and fails for good; a site that does not answer is asked again.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from actors.configured import configured
from actors.context import context, progress
from actors.ends import PermanentError
from actors.job import job
from actors.trades.inputs.bring import bring
from actors.trades.inputs.spelling import ARTIFACT, SAMPLES
from wire.slices.artifacts import Artifacts
from wire.slices.films import Films

MOST_BYTES: Final = 2 * 1024**3  # of the source
# In words of JSON Schema, for the gateway: one of the two, and not both
ONE_SOURCE: Final[dict[str, Any]] = {
    "if": {"required": ["artifact"], "properties": {"artifact": {"type": "string"}}},
    "then": {
        "properties": {
            "video_url": {"const": None, "x-problem": "does not go with artifact", "x-remedy": "name one of the two"}
        }
    },
    "else": {"required": ["video_url"], "properties": {"video_url": {"type": "string"}}},
}
Address = Annotated[str, Field(max_length=8_192, pattern=f"^([hH][tT][tT][pP][sS]?://|{SAMPLES}$)")]
ArtifactId = Annotated[str, Field(pattern=f"^{ARTIFACT}$")]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Width = Annotated[int, Field(ge=16, le=4_096)]
OutputFormat = Literal["mp4", "webm", "mkv", "mov", "gif", "mp3", "wav"]


class Film(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"video_url": "sample:clip", "output_format": "mp4", "duration": 10},
                {"video_url": "https://example.com/video.mp4", "output_format": "mp4", "duration": 10},
            ],
            **ONE_SOURCE,
        },
    )

    video_url: Address | SkipJsonSchema[None] = Field(
        None,
        description="http or https, or `sample:clip`, a film of twelve seconds that Warren comes with",
        json_schema_extra={
            "x-problem": "is not an http or https address, and not sample:clip",
            "x-remedy": "name a film by its address, or an artifact by its id",
        },
    )
    artifact: ArtifactId | SkipJsonSchema[None] = Field(
        None,
        description="In place of video_url: the id of an artifact of any job",
        json_schema_extra={"x-problem": "is not the id of an artifact"},
    )
    output_format: OutputFormat = Field("mp4", description="Container of the result; mp3 and wav are its sound alone")
    duration: Seconds | SkipJsonSchema[None] = Field(None, description="Seconds from the start; without it all of them")
    width: Width | SkipJsonSchema[None] = Field(
        None, description="Pixels of the result, if the film is wider; the height follows"
    )

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.video_url is None) == (self.artifact is None):
            raise ValueError("video_url or artifact is needed, and one of them only")
        return self

    @property
    def source(self) -> tuple[str, str]:
        """Where the film is, and which field says so."""
        return (self.artifact, "payload.artifact") if self.artifact else (str(self.video_url), "payload.video_url")


class Source(BaseModel):
    """What was in the film that came."""

    container: str = Field(description="As FFmpeg calls it")
    seconds: float | None = Field(description="As its header says")
    video_codec: str | None = Field(description="Of the pictures, if there are any")
    width: int | None = Field(description="Pixels, as it is shown")
    height: int | None = Field(description="Pixels, as it is shown")
    audio_codec: str | None = Field(description="Of the sound, if there is any")


class Result(BaseModel):
    """The new film, as a player finds it."""

    artifact: UUID = Field(description="Where its bytes are: /api/v1/artifacts/{id}")
    name: str = Field(description="The name of what came, with the new ending")
    content_type: str = Field(description="Of the artifact")
    size_bytes: int = Field(description="Of the artifact")
    seconds: float = Field(description="How long it is")
    frames: int = Field(description="Pictures")
    width: int | None = Field(description="Pixels")
    height: int | None = Field(description="Pixels")
    video_codec: str | None = Field(description="Of the pictures, if there are any")
    audio_codec: str | None = Field(description="Of the sound, if there is any")
    damaged_packets: int = Field(description="Of the source, that were left out")
    source: Source = Field(description="What it was made of")


@job("process_video", max_retries=2, timeout=3_600, isolation="process", memory_mb=1_536)
async def process_video(payload: Film) -> Result:
    """Make a film into another format: the first `duration` seconds of it, with at most this width."""
    from actors.trades.video.formats import FORMATS  # noqa: PLC0415 - FFmpeg is for the child process alone
    from actors.trades.video.look import Unfit  # noqa: PLC0415
    from actors.trades.video.make import make  # noqa: PLC0415
    from actors.trades.video.transcode import Wanted  # noqa: PLC0415

    source, field = payload.source
    progress(0.0, "bringing the film")
    film = await bring(source, most_bytes=MOST_BYTES, field=field)
    form, target = FORMATS[payload.output_format], context().scratch() / "made"
    most = configured(Artifacts).max_artifact_bytes, configured(Films).video_max_pictures
    try:
        made = await make(film, target, Wanted(form, payload.duration, payload.width, *most))
    except Unfit as e:
        raise PermanentError(f"{field}: {e}") from None
    kept = await context().save_artifact(named(film, form.name), target, form.content_type)
    progress(1.0, f"{made.found.seconds:.1f} s of film")
    return Result.model_validate({
        "artifact": kept.id, "name": kept.name, "content_type": kept.content_type, "size_bytes": kept.size_bytes,
        **asdict(made.found), "damaged_packets": made.damaged, "source": made.seen.told,
    })  # fmt: skip


def named(film: Path, ending: str) -> str:
    """As the film was, which an address may have called anything."""
    return "".join(one if one.isprintable() else "_" for one in film.stem) + f".{ending}"
