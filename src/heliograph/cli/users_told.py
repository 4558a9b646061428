"""What all of `heliograph users` share: the store for one piece of work, and how a user is told of."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from heliograph.cli import given

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from heliograph.core.ports import Store
    from heliograph.core.user import User
    from heliograph.settings import Settings

T = TypeVar("T")


def with_store(settings: Settings, work: Callable[[Store], Awaitable[T]]) -> T:
    async def run() -> T:
        async with given.store(settings) as store:
            return await work(store)

    return asyncio.run(run())


def where(user: User) -> str:
    sites = f" of {', '.join(user.sites)}" if user.sites else ""
    skills = f", for {', '.join(user.skills)}" if user.skills else ""
    return sites + skills


def plain(user: User) -> dict[str, object]:
    return {
        "name": user.name,
        "role": user.role,
        "sites": user.sites,
        "skills": user.skills,
        "created": user.created,
        "changed": user.changed,
        "disabled": user.disabled,
    }
