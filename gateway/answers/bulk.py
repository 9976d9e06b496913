"""What a bulk request answers: a word for each job in the order of the request, and how many of each there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.entrance.problems import KINDS, Refusal
from wire.errors import Refused


class ItemProblem(Struct, frozen=True, omit_defaults=True):
    """Why one job was refused; as the problem that it would be answered with alone."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None
    remedy: str | None = None


class BulkItem(Struct, frozen=True):
    """What became of one job."""

    status: Annotated[
        Literal["accepted", "duplicate", "invalid", "unavailable"],
        Meta(description="`unavailable`: both stores were away when its turn came; send it again with its id"),
    ]
    id: UUID | UnsetType = UNSET
    problem: ItemProblem | UnsetType = UNSET
    unique: Annotated[bool | UnsetType, Meta(description="true if it is another job, which stands for this one")] = (
        UNSET
    )


class BulkReceipt(Struct, frozen=True):
    """What became of each job, and how many are what."""

    items: Annotated[list[BulkItem], Meta(description="In the order of the request")]
    accepted: int
    duplicate: int
    invalid: int
    unavailable: int


def receipt(items: Sequence[BulkItem]) -> BulkReceipt:
    counts = Counter(item.status for item in items)
    return BulkReceipt(
        list(items), counts["accepted"], counts["duplicate"], counts["invalid"], counts["unavailable"]
    )  # fmt: skip


def invalid(refused: Refused, job_id: UUID | None = None) -> BulkItem:
    return BulkItem("invalid", job_id or UNSET, _problem(Refusal.of(refused)))


def unavailable(job_id: UUID | None) -> BulkItem:
    return BulkItem("unavailable", job_id or UNSET, _AWAY)


def _problem(refusal: Refusal) -> ItemProblem:
    kind = KINDS[refusal.kind]
    return ItemProblem(
        f"/problems#{refusal.kind}", kind.title, kind.status, refusal.detail, refusal.field, refusal.remedy
    )


_AWAY = _problem(Refusal("unavailable", "a store is away", remedy="send it again, with this id if there is one"))
