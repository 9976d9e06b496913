"""`data_processing`: aggregate, group, filter, join or convert a dataset: CSV, JSON or Parquet.

Runs in a child process with a memory of its own: whatever a file makes the engine do costs that attempt and no other
job.  Figures come back in the result, tables as an artifact.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from actors.job import job
from actors.trades.tables.asked import NEEDED, Operation, Parameters
from actors.trades.tables.named import Dataset

MEMORY_MB = 1_024


class DataProcessing(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "allOf": NEEDED,
            "examples": [
                {
                    "dataset": "sales_data",
                    "operation": "aggregate",
                    "parameters": {"record_count": 5000, "aggregation_type": "sum"},
                },
                {
                    "dataset": "sales_data",
                    "operation": "group_by",
                    "parameters": {
                        "by": ["region"],
                        "aggregations": {"amount": ["sum", "mean"]},
                        "where": [{"column": "order_date", "op": ">=", "value": "2026-01-01"}],
                        "sort": ["-amount_sum"],
                    },
                },
                {
                    "dataset": "https://data.example.org/orders.csv.gz",
                    "operation": "convert",
                    "parameters": {"format": "parquet"},
                },
            ],
        },
    )

    dataset: Dataset = Field(
        description="A dataset's name, the id of an artifact, or an http(s) URL; sales_data comes with Warren"
    )
    operation: Operation = Field(description="What to do: docs/data.md says what each needs")
    parameters: Parameters = Field(default_factory=Parameters, description="How to do it")


class Made(BaseModel):
    id: UUID = Field(description="For GET /api/v1/artifacts/{id}, and as the dataset of another job")
    name: str = Field(description="As it is saved")
    size_bytes: int = Field(description="How long it is")


class Processed(BaseModel):
    """What has come of it."""

    dataset: str = Field(description="As the payload names it")
    operation: str = Field(description="What was done")
    records: int = Field(description="Records of the dataset that were worked on")
    rows: int = Field(description="Records of the outcome")
    columns: dict[str, str] = Field(description="Of the outcome, and what they hold")
    values: dict[str, Any] | None = Field(description="The figures of an aggregate without groups")
    table: list[dict[str, Any]] = Field(description="The outcome, or its first records if it is in a file")
    artifact: Made | None = Field(description="The file that the outcome is in")


@job("data_processing", timeout=1_800, isolation="process", memory_mb=MEMORY_MB)
async def process(payload: DataProcessing) -> Processed:
    """Aggregate, group, filter, join or convert a CSV, JSON or Parquet dataset."""
    from actors.trades.tables.work import work  # noqa: PLC0415 - it loads the engine, which is for the child process alone

    outcome = await work(payload.dataset, payload.operation, payload.parameters)
    made = outcome.artifact
    single = payload.operation == "aggregate" and not payload.parameters.by
    return Processed(
        dataset=payload.dataset,
        operation=payload.operation,
        records=outcome.records,
        rows=outcome.rows,
        columns=outcome.columns,
        values=outcome.first[0] if single and outcome.first else None,
        table=[] if single and made is None else outcome.first,
        artifact=Made(id=made.id, name=made.name, size_bytes=made.size_bytes) if made else None,
    )
