"""What goes over a watch stream (api/etcdserverpb/rpc.proto, service Watch).

One connection carries several watches, told apart by `watch_id`. Used through `messages.py`.
"""

from __future__ import annotations

import enum
from typing import Final, TypeAlias

from attrs import field, frozen

from chaoskube.models.etcd.key_values import Event

STREAM_WATCH_ID: Final = -1
"""As `watch_id` of a progress notice: it speaks for every watch of the stream; of a refusal: there is no watch."""


class WatchFilter(enum.Enum):
    """Changes that the server shall leave out."""

    NOPUT = "NOPUT"
    NODELETE = "NODELETE"


@frozen(kw_only=True)
class WatchCreate:
    """Watch keys from `start_revision` on; 0 means from the next change on. `watch_id` 0 lets the server choose."""

    key: str
    range_end: str = ""
    start_revision: int = 0
    prev_kv: bool = False
    progress_notify: bool = False
    require_leader: bool = False
    watch_id: int = 0
    fragment: bool = False
    filters: tuple[WatchFilter, ...] = ()


@frozen
class WatchCancel:
    """End a watch."""

    watch_id: int = 0


@frozen
class WatchProgress:
    """Ask for a progress notice of the stream, sent once every watch of it has everything up to it."""


@frozen(kw_only=True)
class WatchCreated:
    """The watch exists; `revision` is the member's at that moment."""

    revision: int
    watch_id: int = 0


@frozen(kw_only=True)
class WatchEvents:
    """Changes in order; a revision is split over two of these only where `fragment` says that more of it comes."""

    revision: int
    events: tuple[Event, ...]
    watch_id: int = 0
    fragment: bool = False

    def digest_text(self) -> str:
        """Deterministic text, without the values."""
        changes = ",".join([f"{one.type.value}:{one.kv.key}@{one.kv.mod_revision}" for one in self.events])
        extra = f" {self.watch_id}{'f' if self.fragment else ''}" if self.watch_id or self.fragment else ""
        return f"watch@{self.revision}{extra} {changes}"


@frozen
class WatchProgressNotice:
    """Everything up to `revision` has been delivered."""

    revision: int
    watch_id: int = field(default=0, kw_only=True)


@frozen(kw_only=True)
class WatchCanceled:
    """The watch is over; `compact_revision` is not 0 when its start had been compacted."""

    reason: str
    compact_revision: int = 0
    watch_id: int = 0
    revision: int = 0


WatchMessage: TypeAlias = WatchCreated | WatchEvents | WatchProgressNotice | WatchCanceled
