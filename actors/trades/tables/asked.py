"""What can be asked of a table, as a payload says it; checked by the gateway.  Loads no engine."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)

from actors.trades.tables.named import Dataset

MOST: Final = 1_000_000_000_000  # records
Name = Annotated[str, Field(min_length=1, max_length=255)]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[list[Name], BeforeValidator(_listed, json_schema_input_type=Name | list[Name]), Field(max_length=500)]
Operation = Literal["aggregate", "group_by", "filter", "join", "convert"]
Function = Literal[
    "sum", "mean", "average", "avg", "median", "min", "max", "count", "distinct", "std", "var", "first", "last"
]
Functions = Annotated[
    list[Function], BeforeValidator(_listed, json_schema_input_type=Function | list[Function]), Field(min_length=1)
]
Format = Literal["csv", "json", "ndjson", "parquet"]
Scalar = StrictStr | StrictBool | StrictInt | StrictFloat | None
Op = Literal[
    "=", "==", "eq", "!=", "ne", "<", "lt", "<=", "le", ">", "gt", ">=", "ge", "in", "not_in", "between",
    "contains", "starts_with", "ends_with", "matches", "is_missing", "is_present",
]  # fmt: skip


class Condition(BaseModel):
    """A column, a word and a value; or several conditions, of which `any` or `all` hold."""

    model_config = ConfigDict(extra="forbid")

    column: Name | None = Field(None, description="Whose values are looked at")
    op: Op = Field("=", description="How they compare to the value")
    value: Scalar | list[Scalar] = Field(None, description="A text, a number, true, false, null; a list for several")
    any: list[Condition] | None = Field(
        None, min_length=1, max_length=100, description="Instead: conditions of which one holds at least"
    )
    all: list[Condition] | None = Field(
        None, min_length=1, max_length=100, description="Instead: conditions which all hold"
    )


class Parameters(BaseModel):
    """Of all operations; docs/data.md says which belongs to which."""

    model_config = ConfigDict(extra="forbid")

    record_count: int | None = Field(None, ge=1, le=MOST, description="Work on the first so many records alone")
    where: list[Condition] = Field(
        default_factory=list, max_length=100, description="Only records of which all of these hold"
    )
    aggregation_type: Function | None = Field(None, description="What to make of the columns")
    columns: Names = Field(default_factory=list, description="Of which columns; by default all that it makes sense of")
    aggregations: dict[Name, Functions] = Field(
        default_factory=dict, max_length=500, description="Instead of these two: a column, and what to make of it"
    )
    by: Names = Field(default_factory=list, description="Columns whose values make a group")
    right: Dataset | None = Field(None, description="The other dataset of a join")
    on: Names = Field(default_factory=list, description="Columns that have to be equal in both")
    right_on: Names = Field(default_factory=list, description="Their names in the other dataset, if these differ")
    how: Literal["inner", "left", "right", "full", "semi", "anti"] = Field("inner", description="The kind of join")
    select: Names = Field(default_factory=list, description="Columns of the outcome, in this order")
    sort: Names = Field(default_factory=list, description="Columns to sort the outcome by; -amount: largest first")
    limit: int | None = Field(None, ge=1, le=MOST, description="Most records of the outcome, after it was sorted")
    format: Format | None = Field(None, description="Of the file that the outcome goes to")
    name: str | None = Field(None, min_length=1, max_length=200, description="Name of that artifact")
    read_as: Format | None = Field(None, description="What the dataset is, if its name does not tell")
    separator: str | None = Field(None, min_length=1, max_length=1, description="Of a CSV dataset; found out otherwise")
    encoding: str | None = Field(None, max_length=40, description="Of a text dataset that is not UTF-8")
    missing: list[str] = Field(
        default_factory=list, max_length=20, description='Texts of a CSV dataset that stand for no value, such as "NA"'
    )


SOME: Final[dict[str, JsonValue]] = {"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1}]}


def _needs(operation: str, **named: JsonValue) -> JsonValue:
    """What an operation cannot do without, as JSON Schema."""
    parameters: JsonValue = {"required": [*named], "properties": named}
    return {
        "if": {"properties": {"operation": {"const": operation}}},
        "then": {"required": ["parameters"], "properties": {"parameters": parameters}},
    }


NEEDED: Final[list[JsonValue]] = [
    _needs("group_by", by=SOME),
    _needs("filter", where={"minItems": 1}),
    _needs("join", right={"type": "string", "minLength": 1}, on=SOME),
    _needs("convert", format={"type": "string"}),
]


def missing_of(operation: Operation, asked: Parameters) -> str | None:
    """What it cannot do without and has not been given; for jobs that came by a door that does not judge them."""
    needed: dict[str, dict[str, object]] = {
        "group_by": {"by": asked.by}, "filter": {"where": asked.where}, "convert": {"format": asked.format},
        "join": {"right": asked.right, "on": asked.on}, "aggregate": {},
    }  # fmt: skip
    return next((name for name, value in needed[operation].items() if not value), None)
