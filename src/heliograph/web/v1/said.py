"""The refusals that every row of the native API may answer, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping

from heliograph.web.problem import Problem
from heliograph.web.route import Said

MEDIA = "application/problem+json"
RETRY = {"Retry-After": "Seconds to wait."}
_WAYS = {"WWW-Authenticate": "Bearer, or OAuth for signed calls."}


def refused(status: int, means: str, headers: Mapping[str, str] = {}) -> Said:
    return Said(status, means, Problem, headers, MEDIA)


ALL = (
    refused(401, "No credentials, or none that are taken", _WAYS),
    refused(403, "The key lacks the scope, or its site is gone"),
    refused(405, "Another method", {"Allow": "The methods that the address takes."}),
    refused(413, "The body is too large"),
    refused(429, "Too many calls, or too many with wrong credentials", RETRY),
    refused(503, "The database is away: nothing was stored or sent, call again", RETRY),
)
WITH_BODY = (
    refused(400, "The body cannot be read, or fields are wrong: `errors` names each"),
    refused(415, "The body is not JSON in UTF-8"),
)
