"""Why nothing was sent, or nobody knows: the line's own reasons as a table, and the errors that they mean."""

from __future__ import annotations

from heliograph.channels.kit import Row
from heliograph.channels.sms.smpp_answers import WHO
from heliograph.core.ports import Exchange
from heliograph.errors import Blame, Fate, SendError

_IN_DOUBT = "The message may have been taken: it is in doubt until a receipt settles it."

# The line's word → our code, its fate, the reason in words. What is not `unknown` was not sent.
FAULTS = {
    "not_connected": Row("not_connected", Fate.RETRY, "there is no connection. Nothing was sent."),
    "connecting": Row("not_connected", Fate.RETRY, "no bind was up before the deadline. Nothing was sent."),
    "tls_refused": Row(
        "tls_refused",
        Fate.CONFIG,
        "its certificate is not to be trusted. Nothing was sent. Check `host`, `tls_name` and `ca_file`.",
        Blame.US,
    ),
    "tls_failed": Row("not_connected", Fate.RETRY, "no TLS with it. Nothing was sent. Check `port` and `tls`."),
    "bind_silent": Row("not_connected", Fate.RETRY, "it did not answer the bind. Nothing was sent."),
    "full": Row("no_time", Fate.RETRY, "its window was not open before the deadline. Nothing was sent.", Blame.US),
    "throttled": Row("throttled", Fate.RETRY, "it throttled us until the deadline. Nothing was sent."),
    "closed": Row("closed", Fate.RETRY, "the sender is being closed. Nothing was sent.", Blame.US),
    "line_broke": Row("no_answer", Fate.UNKNOWN, f"the line broke before its answer came. {_IN_DOUBT}"),
    "no_answer": Row("no_answer", Fate.UNKNOWN, f"no answer came in time. {_IN_DOUBT}"),
    "partly_taken": Row(
        "partly_taken",
        Fate.UNKNOWN,
        "it took some parts of the message and not the others. The message is not repeated whole; what became of it "
        "is in doubt.",
    ),
}


def fault(word: str, *, exchange: Exchange | None, detail: str = "", retry_after: float | None = None) -> SendError:
    """The error that `word` means. `detail`: what the network said, without personal data."""
    row = FAULTS[word]
    return SendError(
        f"{WHO}: {row.words}{f' ({detail})' if detail else ''}",
        code=row.code,
        fate=row.fate,
        blame=row.blame,
        retry_after=retry_after,
        exchange=exchange,
    )
