"""What `@job` says of a type, beside its name and its queue: carried by the actor, read when types are registered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

Isolation = Literal["process"]  # where its function runs, if not in the worker itself
ANY_OBJECT: Final[dict[str, Any]] = {"type": "object"}


class AsWritten(GenerateJsonSchema):
    """The fields of an example in the order in which it was written, and not by the alphabet."""

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:
        return value


@dataclass(frozen=True, slots=True)
class JobOptions:
    """What `@job` was given; None means the setting's default."""

    payload: type[BaseModel] | None
    description: str
    priority: int
    max_retries: int | None = None
    timeout_seconds: float | None = None
    retry_base_seconds: float | None = None
    retry_max_seconds: float | None = None
    isolation: Isolation | None = None
    memory_mb: int | None = None  # of its child process
    result: type[BaseModel] | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """Made when it is asked for: it may depend on settings and on modules that come after the type's own."""
        return self.payload.model_json_schema(schema_generator=AsWritten) if self.payload else ANY_OBJECT

    @property
    def result_schema(self) -> dict[str, Any] | None:
        return self.result.model_json_schema(schema_generator=AsWritten, mode="serialization") if self.result else None
