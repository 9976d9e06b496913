"""A job type of one's own: `PYTHONPATH=examples WARREN_ACTORS=hello_actors deploy/up`."""

from pydantic import BaseModel

from warren import job, progress


class Greeting(BaseModel):
    name: str


@job("hello", queue="greetings", max_retries=5, timeout=10)
async def hello(payload: Greeting) -> dict[str, str]:
    """Greet somebody."""
    progress(0.5, "thinking of something nice")
    return {"text": f"Hello, {payload.name}!"}
