"""The settings of `report_generation`: where a user's own templates are."""

from __future__ import annotations

from pydantic import Field, field_validator

from wire.slices import Slice


class Reports(Slice):
    """How reports look; read by the workers."""

    report_templates: str = Field(
        "", max_length=4_096, description="Folder with templates of your own, `<name>.html`, in Jinja: docs/reports.md",
        examples=["/srv/app/reports"],
    )  # fmt: skip

    @field_validator("report_templates")
    @classmethod
    def _is_a_folder(cls, value: str) -> str:
        if value and (not value.startswith("/") or "\0" in value):
            raise ValueError("must be the absolute path of a folder")
        return value
