"""Name the type of a connection to PostgreSQL without loading asyncpg, which is loaded when a journal is made."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncpg import Connection
else:
    Connection = Any

__all__ = ["Connection"]
