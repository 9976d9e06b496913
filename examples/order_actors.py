"""Jobs that submit jobs: `PYTHONPATH=examples WARREN_ACTORS=order_actors deploy/up`."""

from pydantic import BaseModel

from warren import cancelled, job, progress, submit, submit_now


class Order(BaseModel):
    number: int
    items: list[str]


class Parcel(BaseModel):
    order: int
    item: str


@job("pack", max_retries=5, timeout=60)
def pack(payload: Parcel) -> str:
    """A sync job: it runs on a thread, and is asked to stop and not interrupted."""
    for step in range(10):
        if cancelled():
            raise InterruptedError("asked to stop")
        progress((step + 1) / 10, f"wrapping {payload.item}")
    return f"{payload.item} of order {payload.order}"


@job("order")
async def order(payload: Order) -> list[str]:
    """Nothing is packed unless the whole order goes through; that it was begun is told at once."""
    await submit_now("echo", {"message": f"order {payload.number} begun"}, key="begun")
    return [str(submit(pack, Parcel(order=payload.number, item=item), tags=["parcel"])) for item in payload.items]
