"""How a client's call reads in a story: what was asked, and what became of it.

Called by `telling.py`.
"""

from __future__ import annotations

from functools import singledispatch

from chaoskube.models.etcd.messages import (
    Compact,
    DeleteRange,
    LeaseGrant,
    LeaseGrantResponse,
    LeaseKeepAlive,
    LeaseKeepAliveResponse,
    LeaseRevoke,
    Put,
    Range,
    RangeResponse,
    Txn,
    TxnResponse,
    prefix_end,
)
from chaoskube.models.etcd.view import CallAnswered

SHOWN = 3


def answered(request: object, event: CallAnswered) -> str:
    """The call and its end in one line; "" for a call whose beginning nobody saw."""
    if request is None:
        return ""
    asked = asks(request)
    if event.error:
        return f"{asked}: refused, {event.error}"
    if event.unsure:
        return f"{asked}: nobody knows what became of it, {event.unsure}"
    revision = getattr(event.response, "revision", 0)
    found = _found(event.response)
    return f"{asked}: revision {revision}{f', {found}' if found else ''}"


@singledispatch
def asks(request: object) -> str:
    """What a client does, in the present tense."""
    return f"asks for {type(request).__name__}"


@asks.register
def _range(request: Range) -> str:
    how = "reads, from this member alone," if request.serializable else "reads"
    then = f" as of revision {request.revision}" if request.revision else ""
    return f"{how} {keys(request.key, request.range_end)}{then}"


@asks.register
def _put(request: Put) -> str:
    under = f" under lease {request.lease:x}" if request.lease else ""
    return f"puts {request.key}{under}"


@asks.register
def _delete(request: DeleteRange) -> str:
    return f"deletes {keys(request.key, request.range_end)}"


@asks.register
def _txn(request: Txn) -> str:
    condition = "if its conditions hold, " if request.compare else "in one transaction "
    return f"{condition}{_several(request.success)}"


@asks.register
def _compact(request: Compact) -> str:
    return f"asks to forget what was before revision {request.revision}"


@asks.register
def _grant(request: LeaseGrant) -> str:
    return f"asks for a lease of {request.ttl} s"


@asks.register
def _keep_alive(request: LeaseKeepAlive) -> str:
    return f"renews lease {request.id:x}"


@asks.register
def _revoke(request: LeaseRevoke) -> str:
    return f"revokes lease {request.id:x}"


def _found(response: object) -> str:
    if isinstance(response, RangeResponse):
        shown = [f"{kv.key} of {kv.mod_revision}" for kv in response.kvs[:SHOWN]]
        more = f" and {len(response.kvs) - SHOWN} more" if len(response.kvs) > SHOWN else ""
        return f"{', '.join(shown)}{more}" if shown else "nothing there"
    if isinstance(response, TxnResponse):
        return "done" if response.succeeded else "the conditions did not hold"
    if isinstance(response, LeaseGrantResponse):
        return f"lease {response.id:x}"
    if isinstance(response, LeaseKeepAliveResponse):
        return f"{response.ttl} s" if response.ttl else "it is gone"
    return ""


def _several(requests: tuple[object, ...]) -> str:
    """What is written, and what is read of the past; where nothing is, whatever is read."""
    writes = [one for one in requests if not isinstance(one, Range) or one.revision]
    return ", ".join(asks(one) for one in writes or requests) or "does nothing"


def keys(key: str, range_end: str) -> str:
    """A key, or a range of them."""
    if not range_end:
        return key
    return f"all of {key}" if range_end == prefix_end(key) else f"{key} up to {range_end}"
