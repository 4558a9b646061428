"""The contracts between the rooms: Protocols, small on purpose. flow/ is written against these alone.

    http.py        what comes in and goes out       provider.py    a channel's provider     desk.py     a desk
    writing.py     what one transaction writes      reading.py     what the store gives     store.py    its verbs
    conversing.py  its verbs of conversations       users.py       its verbs of users      clock.py     time
    outbox.py      its verbs of what the brand is told

`deadline` is a moment of the event loop's own clock (seconds, `loop.time()`); all other times are milliseconds since
the epoch, UTC.
"""

from heliograph.core.ports.clock import (
    Clock,
)
from heliograph.core.ports.conversing import (
    ConversationStore,
    DeskJoined,
    DeskTaken,
    DeskWaits,
    Inbox,
    Queue,
    Said,
    TurnOutcome,
)
from heliograph.core.ports.desk import (
    Desk,
    DeskHeard,
    DeskPlug,
    DeskWays,
    Handed,
)
from heliograph.core.ports.http import (
    Answer,
    Call,
    Exchange,
    Out,
    Response,
)
from heliograph.core.ports.outbox import (
    OutboxStore,
)
from heliograph.core.ports.provider import (
    AsksMany,
    Courteous,
    Fetched,
    Fetches,
    Heard,
    Message,
    Plug,
    Provider,
    Revoked,
    Taken,
    Uploaded,
    Ways,
)
from heliograph.core.ports.reading import (
    AlertRow,
    Changes,
    Erased,
    Joined,
    LooseEnds,
    Record,
    Reported,
    Unmatched,
    Written,
)
from heliograph.core.ports.store import (
    AlertStore,
    ErasingStore,
    MediaStore,
    OperatorStore,
    OptOutStore,
    RegistryStore,
    Store,
)
from heliograph.core.ports.users import UserStore
from heliograph.core.ports.writing import (
    Acceptance,
    Accepted,
    Barred,
    Claim,
    Due,
    Outcome,
    Taker,
    lane,
)

__all__ = [
    "Acceptance",
    "Accepted",
    "AlertRow",
    "AlertStore",
    "Answer",
    "AsksMany",
    "Barred",
    "Call",
    "Changes",
    "Claim",
    "Clock",
    "ConversationStore",
    "Courteous",
    "Desk",
    "DeskHeard",
    "DeskJoined",
    "DeskPlug",
    "DeskTaken",
    "DeskWaits",
    "DeskWays",
    "Due",
    "Erased",
    "ErasingStore",
    "Exchange",
    "Fetched",
    "Fetches",
    "Handed",
    "Heard",
    "Inbox",
    "Joined",
    "LooseEnds",
    "MediaStore",
    "Message",
    "OperatorStore",
    "OptOutStore",
    "Out",
    "OutboxStore",
    "Outcome",
    "Plug",
    "Provider",
    "Queue",
    "Record",
    "RegistryStore",
    "Reported",
    "Response",
    "Revoked",
    "Said",
    "Store",
    "Taken",
    "Taker",
    "TurnOutcome",
    "Unmatched",
    "Uploaded",
    "UserStore",
    "Ways",
    "Written",
    "lane",
]
