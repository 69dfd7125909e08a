"""Events in two groups: `events.k8s.io` shows the same stored objects as `v1`, with other names for some of their fields.

They are stored as v1. A request for the newer group is the same flow, with the names changed between it and etcd.
Source: pkg/apis/core/v1/conversion.go, pkg/apis/events/v1/conversion.go, staging/src/k8s.io/api/events/v1/types.go.

Called by `handlers.py`, `bodies.py` and `uncached.py`.
Not modelled: what the newer group asks of an event beyond the schema (staging/.../core/validation/events.go).
"""

from __future__ import annotations

from typing import Final, TypeVar

from attrs import evolve

from chaoskube.models.apiserver.flow import Effect, Flow, Outcome
from chaoskube.models.apiserver.storage import from_kv
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.objects import Event, GenericObject, KubeObject, decode, encode, freeze, thaw
from chaoskube.models.objects.omitted import without_empties
from chaoskube.models.objects.resources import Resource

T = TypeVar("T")
API_VERSION: Final = "events.k8s.io/v1"
_RENAMED: Final = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_OLD_NAMES: Final = {new: old for old, new in _RENAMED.items()}
_OMITTED_WHEN_EMPTY: Final = ("reportingController", "reportingInstance")


def as_newer(obj: KubeObject) -> KubeObject:
    """A stored event as the newer group shows it."""
    if not isinstance(obj, Event):
        return obj
    content = {}
    for name, value in encode(obj).items():
        new = _RENAMED.get(name, name)
        if name not in ("apiVersion", "kind", "metadata") and (value or new not in _OMITTED_WHEN_EMPTY):
            content[new] = value
    return GenericObject(
        api_version=API_VERSION, kind="Event", metadata=obj.metadata, content=freeze(content)
    )


def as_stored(obj: object) -> object:
    """An event of the newer group as it is stored."""
    if not isinstance(obj, GenericObject) or obj.api_version != API_VERSION:
        return obj
    tree = {_OLD_NAMES.get(name, name): value for name, value in thaw(obj.content).items()}
    stored = decode(without_empties({"apiVersion": "v1", "kind": "Event", **tree}))
    return evolve(stored, metadata=obj.metadata)


def tidied(obj: KubeObject) -> KubeObject:
    """An event of the newer group with all that it will have when it is read."""
    stored = as_stored(obj)
    return as_newer(stored) if isinstance(stored, Event) else obj


def renamed(flow: Flow[T]) -> Flow[T]:
    """The flow of a request for the newer group."""
    outcome: Outcome = None
    while True:
        try:
            effect = flow.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result
        outcome = _answer((yield _question(effect)))


def read_event(kv: etcd.KeyValue, resource: Resource) -> KubeObject:
    """What a watch of this resource takes from a key."""
    found = from_kv(kv)
    return as_newer(found) if resource.api_version == API_VERSION else found


def _question(effect: Effect) -> Effect:
    if not isinstance(effect, etcd.Txn):
        return effect
    puts = [
        evolve(one, value=as_stored(one.value)) if isinstance(one, etcd.Put) else one
        for one in effect.success
    ]
    return evolve(effect, success=tuple(puts))


def _answer(outcome: Outcome) -> Outcome:
    if isinstance(outcome, etcd.TxnResponse):
        return evolve(outcome, responses=tuple([_range(one) for one in outcome.responses]))
    if isinstance(outcome, etcd.RangeResponse):
        return _range(outcome)
    return outcome


def _range(response: etcd.ResponseOp) -> etcd.ResponseOp:
    if not isinstance(response, etcd.RangeResponse):
        return response
    return evolve(response, kvs=tuple([_key_value(kv) for kv in response.kvs]))


def _key_value(kv: etcd.KeyValue) -> etcd.KeyValue:
    return evolve(kv, value=as_newer(kv.value)) if isinstance(kv.value, Event) else kv
