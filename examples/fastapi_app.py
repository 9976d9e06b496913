"""A web service that hands work to Warren: `PYTHONPATH=examples uvicorn fastapi_app:app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse
from hello_actors import Greeting, hello

from warren import Client, NotFound, Unavailable


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One client for the whole service: it keeps its connections open."""
    async with Client() as warren:
        app.state.warren = warren
        yield


def its_client(request: Request) -> Client:
    return request.app.state.warren


app = FastAPI(lifespan=lifespan)
Warren = Annotated[Client, Depends(its_client)]


@app.post("/greetings", status_code=202)
async def greet(greeting: Greeting, warren: Warren, idempotency_key: Annotated[str | None, Header()] = None) -> Any:
    """Accepted means safe; a client that sends its key again gets the same greeting."""
    job_id = await warren.submit(hello, greeting, key=idempotency_key)
    return {"id": job_id, "read": f"/greetings/{job_id}"}


@app.get("/greetings/{job_id}")
async def read(job_id: UUID, warren: Warren) -> Any:
    """How far it is, and the greeting once it is there."""
    job = await warren.get(job_id)
    return {"state": job.state, "greeting": job.result, "progress": job.progress and job.progress.note}


@app.exception_handler(NotFound)
async def not_found(request: Request, error: NotFound) -> JSONResponse:
    return JSONResponse({"detail": error.problem}, 404)


@app.exception_handler(Unavailable)
async def unavailable(request: Request, error: Unavailable) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 503, headers={"Retry-After": "5"})
