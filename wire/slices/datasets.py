"""The settings of datasets: which files of this machine jobs may read by a name, and how much of one."""

from __future__ import annotations

from pydantic import Field, field_validator

from wire.slices import Slice, Words, also


class Datasets(Slice):
    """The tables that `data_processing` and reports work on; read by the workers."""

    datasets: Words = Field(
        (), description="Folders of datasets, separated by commas: a file in one of them is known by its name there",
        examples=["/srv/datasets"], validation_alias=also("DATASETS"),
    )  # fmt: skip
    dataset_max_bytes: int = Field(
        1_073_741_824, ge=1_024, le=1_099_511_627_776, description="Largest dataset that a job takes, unpacked"
    )

    dataset_max_row_group_bytes: int = Field(
        1_073_741_824, ge=1_024, le=1_099_511_627_776,
        description="Largest row group of a Parquet file, unpacked and of the columns that are read: each is held as a "
        "whole",
    )  # fmt: skip

    @field_validator("datasets")
    @classmethod
    def _are_folders(cls, value: Words) -> Words:
        for folder in value:
            if not folder.startswith("/") or "\0" in folder:
                raise ValueError(f"{folder!r} is not a folder's absolute path")
        return value
