"""A verb of the store: a generator that yields statements and is given their rows.

    def spend(...) -> Verb[Taker | None]:
        rows = yield "claim_take", (site, scope, key, ...)

`"claim_take"` is the name of a statement in sql/, the tuple its parameters in the order that its name line declares.
A verb knows no driver, no thread and no event loop: engine_sqlite.py runs it step by step in its writer thread,
engine_postgresql.py awaits each step. A statement that only writes gives no row; one that is asked whether it wrote
(`nonce_new`, `claim_new`, `alert_taken`: a text per engine) gives one if it did.

It runs inside one transaction, from its first statement to its return, and may be run again from the start when that
transaction was undone, so it keeps nothing but what it returns. Because the steps are data, an engine may also run many
verbs abreast and send one statement for the same step of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Protocol, TypeVar

Row = Sequence[Any]
Step = tuple[str, tuple[Any, ...]]
T = TypeVar("T")
Verb = Generator[Step, list[Row], T]


class Engine(Protocol):
    """A database that runs verbs. All of it raises StoreAway while the database is away."""

    async def write(self, verb: Callable[..., Verb[T]], *args: Any) -> T:
        """Runs `verb(*args)`; returns when its commit is on disk. A waiter that is cancelled undoes nothing."""
        ...

    async def read(self, verb: Callable[..., Verb[T]], *args: Any) -> T:
        """Runs `verb(*args)`, which writes nothing, on one consistent view of the database."""
        ...

    async def look(self, verb: Callable[..., Verb[T]], *args: Any) -> T:
        """`read` for what people and lists ask, and may walk far for: no alert ever waits behind it."""
        ...

    async def backup(self, path: str, progress: Callable[[int, int], None]) -> None: ...
    async def close(self) -> None: ...
