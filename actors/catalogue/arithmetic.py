"""`math`: one operation on two numbers; what cannot be computed fails for good."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from actors.ends import PermanentError
from actors.job import job

Number = int | float
LARGEST_BITS: Final = (
    3_400  # a thousand digits, the longest that is stored; 10**10**6 would hold the process for minutes
)

OPERATIONS: Final[dict[str, Callable[[Number, Number], Number]]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": operator.pow,
    "modulo": operator.mod,
}


class Arithmetic(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"operation": "add", "a": 5, "b": 3}]})

    operation: Literal["add", "subtract", "multiply", "divide", "power", "modulo"] = Field(
        description="What to do; `power` raises `a` to `b`, `modulo` is what a division of `a` by `b` leaves"
    )
    a: Number = Field(description="A whole number of any size stays exact")
    b: Number = Field(description="The other one")


class Computed(BaseModel):
    result: Number = Field(description="Whole if both numbers are, but for a division")


@job("math", timeout=30)
async def compute(payload: Arithmetic) -> Computed:
    """Add, subtract, multiply, divide, raise or take the remainder of two numbers."""
    if payload.operation == "power" and _bits(payload.a, payload.b) > LARGEST_BITS:
        raise PermanentError("payload.b: the power would have more than a thousand digits")
    try:
        result = OPERATIONS[payload.operation](payload.a, payload.b)
    except (ZeroDivisionError, OverflowError) as e:
        raise PermanentError(f"{payload.operation} of {payload.a} and {payload.b}: {e}") from e
    if isinstance(result, complex) or (isinstance(result, float) and not math.isfinite(result)):
        raise PermanentError(f"{payload.operation} of {payload.a} and {payload.b} is not a real number")
    return Computed(result=result)


def _bits(base: Number, exponent: Number) -> int:
    """How many bits a whole power has, nearly; floats end by themselves."""
    if isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1:
        return abs(base).bit_length() * exponent
    return 0
