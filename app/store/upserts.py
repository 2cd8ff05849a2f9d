"""Writes that race for a unique row: the loser runs again and finds what the winner wrote."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import Database
from core.errors import ConflictError

T = TypeVar("T")
_ATTEMPTS = 5


async def settle(database: Database, change: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run `change` in a writing transaction, again when a unique row came first elsewhere.

    Raises ConflictError when that goes on.
    """
    for _ in range(_ATTEMPTS):
        try:
            async with database.write() as connection:
                return await change(connection)
        except exc.IntegrityError:
            continue
    raise ConflictError("the same row is being written elsewhere")
