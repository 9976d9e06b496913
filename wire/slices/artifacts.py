"""The settings of artifacts: where their bytes are, in the words of whichever object store it is.

The names that Amazon's and MinIO's own tools use are taken as aliases.
"""

from __future__ import annotations

import re
from typing import Final, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from wire.slices import Slice, also

_ENDPOINT: Final = re.compile(r"(https?://)?(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:[0-9]{1,5})?/?", re.ASCII)


class Artifacts(Slice):
    """Where the bytes are that jobs leave behind; read by the gateway, the scheduler and the workers alike."""

    artifacts_url: str = Field(
        "", description="Object store: a folder, `file://…`, `s3://bucket/prefix`, `gs://…`, `az://…`; the same for "
        "all processes. By default the folder `.warren/artifacts` where they run",
        examples=["s3://warren-artifacts", "file:///srv/warren/artifacts"],
    )  # fmt: skip
    artifacts_bucket: str = Field(
        "", max_length=255, description="S3 bucket, for who names no `WARREN_ARTIFACTS_URL`",
        validation_alias=also("ARTIFACTS_BUCKET", "MINIO_BUCKET"),
    )  # fmt: skip
    artifacts_endpoint: str = Field(
        "", description="Address of an S3-compatible server; without one it is Amazon's",
        examples=["http://objects:3900"],
        validation_alias=also("ARTIFACTS_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "MINIO_ENDPOINT"),
    )  # fmt: skip
    artifacts_access_key: SecretStr = Field(
        SecretStr(""), description="S3 access key",
        validation_alias=also("ARTIFACTS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "MINIO_ACCESS_KEY"),
    )  # fmt: skip
    artifacts_secret_key: SecretStr = Field(
        SecretStr(""), description="S3 secret key",
        validation_alias=also("ARTIFACTS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "MINIO_SECRET_KEY"),
    )  # fmt: skip
    artifacts_session_token: SecretStr = Field(
        SecretStr(""), description="S3 session token, if the keys are temporary",
        validation_alias=also("ARTIFACTS_SESSION_TOKEN", "AWS_SESSION_TOKEN"),
    )  # fmt: skip
    artifacts_region: str = Field(
        "us-east-1", max_length=64, description="S3 region",
        validation_alias=also("ARTIFACTS_REGION", "AWS_REGION", "AWS_DEFAULT_REGION", "MINIO_REGION"),
    )  # fmt: skip
    artifacts_tls: bool = Field(
        False, description="Whether an endpoint that is named without `http://` or `https://` speaks TLS",
        validation_alias=also("ARTIFACTS_TLS", "MINIO_SECURE"),
    )  # fmt: skip
    artifacts_timeout_seconds: float = Field(
        30.0, gt=0, le=3_600, description="Deadline of a call to the object store, its own retries included"
    )
    max_artifact_bytes: int = Field(
        1_073_741_824, ge=1_024, le=1_099_511_627_776, description="Largest artifact that a job may save"
    )

    @field_validator("artifacts_url")
    @classmethod
    def _is_a_place(cls, value: str) -> str:
        scheme, separator, rest = value.partition("://")
        if separator and scheme not in ("file", "s3", "gs", "az"):
            raise ValueError("must be a folder or begin with file://, s3://, gs:// or az://")
        if separator and scheme == "file" and not rest.startswith("/"):
            raise ValueError("file:// must be followed by an absolute path, as in file:///srv/artifacts")
        if separator and scheme != "file" and (not rest or rest.startswith("/") or set("@?#") & set(rest)):
            raise ValueError(f"must be {scheme}:// with a bucket and perhaps a prefix; keys have settings of their own")
        return value

    @model_validator(mode="after")
    def _s3_can_be_asked(self) -> Self:
        """Judged only where S3 is used: many machines have AWS_ names for something else."""
        if not self.place.startswith("s3://"):
            return self
        if self.artifacts_endpoint and not _ENDPOINT.fullmatch(self.artifacts_endpoint):
            raise ValueError("WARREN_ARTIFACTS_ENDPOINT must be http://host:port, https://host:port or host:port")
        if bool(self.artifacts_access_key.get_secret_value()) != bool(self.artifacts_secret_key.get_secret_value()):
            raise ValueError(
                "WARREN_ARTIFACTS_ACCESS_KEY and WARREN_ARTIFACTS_SECRET_KEY go together: set both or none"
            )
        return self

    @property
    def place(self) -> str:
        """The folder, as it was written, or the store's URL."""
        bucket = f"s3://{self.artifacts_bucket}" if self.artifacts_bucket else ""
        return self.artifacts_url or bucket or ".warren/artifacts"

    @property
    def endpoint(self) -> str:
        """With its scheme."""
        named = self.artifacts_endpoint.rstrip("/")
        return named if not named or "://" in named else f"{'https' if self.artifacts_tls else 'http'}://{named}"

    def at(self, place: str, seconds: float) -> Artifacts:
        """Another place that the same keys open, with a deadline of its own."""
        return Artifacts.model_validate({**dict(self), "artifacts_url": place, "artifacts_timeout_seconds": seconds})
