"""How the events of `api-machinery` read in a story: every write, and what became of watches and caches.

What isn't told here is told as in every cluster (`models/telling.py`).
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models import telling
from chaoskube.models.apiserver.events import CacheReset, SlowWatchClosed, Written
from chaoskube.models.client.events import InformerSynced, WatchResumed
from chaoskube.models.etcd.events import Compacted
from chaoskube.models.objects import Pod
from chaoskube.sim import Entry, Line


def tell(entry: Entry) -> Line | None:
    """The entry as a line, or None."""
    teller = _TELLERS.get(type(entry.event))
    return Line(entry.by, teller(entry.event)) if teller is not None else telling.tell(entry)


def _written(event: Written) -> str:
    what = f"{event.resource.removesuffix('s')} {event.key.rpartition('/')[2]}"
    if isinstance(event.obj, Pod) and event.subresource == "binding":
        done = f"binds {what} to {event.obj.spec.node_name}"
    elif event.obj is None:
        done = f"removes {what}"
    elif event.prev is None:
        done = f"makes {what}"
    else:
        done = f"changes {what}"
    version = f" (of version {event.requested_version})" if event.requested_version else ""
    return f"{event.user} {done}{version} at revision {event.resource_version}"


_TELLERS: dict[type, Callable[..., str]] = {
    Written: _written,
    InformerSynced: lambda event: f"knows all {event.resource} as of revision {event.resource_version}",
    WatchResumed: lambda event: f"goes on watching {event.resource} from revision {event.resource_version}",
    CacheReset: lambda event: f"fills its cache of {event.resource} anew ({event.reason}); its watches end",
    SlowWatchClosed: lambda event: (
        f"closes the watch of {event.resource} of {event.client}, which takes no more events"
    ),
    Compacted: lambda event: f"forgets the history before revision {event.revision}",
}
