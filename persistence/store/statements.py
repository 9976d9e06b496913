"""The text of a statement that SQLAlchemy has built, made once for each shape it comes in.

To make the text of one takes longer than Postgres takes to answer it (1.5 ms for a job by its id), and only its values
differ from the last one's.  SQLAlchemy keeps such texts too, but in its engine, and our statements go over asyncpg.

Loaded by who has built one: SQLAlchemy is a third of the time in which a worker starts, and a worker asks in plain SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.util import LRUCache

SHAPES: Final = 500  # a list has some dozens of them: one for each set of filters

_DIALECT: Any = dialect.dialect()  # type: ignore[no-untyped-call]
_made: LRUCache[Any, Any] = LRUCache(SHAPES)


def text_of(statement: ClauseElement) -> tuple[str, Sequence[object]]:
    """The statement as Postgres reads it, and its values in order."""
    made: Any
    made, given, *_ = statement._compile_w_cache(_DIALECT, compiled_cache=_made, column_keys=[])
    if made.post_compile_params:  # an IN, whose text has as many places as there are values
        made, given = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True}), None
    values = made.construct_params(extracted_parameters=given)
    return str(made), [values[name] for name in made.positiontup or ()]
