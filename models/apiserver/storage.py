"""Objects on etcd: one key an object, optimistic locking on its mod revision, no other transactions.

A stored value is the frozen object with resource version ""; what is read gets its key's mod revision as resource
version and shares everything else. An update starts from the server's cached copy, and re-reads etcd before it
believes any refusal or "no change" that came of it: a stale cache costs a retry, never a false answer. What
doesn't change an object is not written.
Sources: staging/src/k8s.io/apiserver/pkg/storage/etcd3/store.go (Create, GuaranteedUpdate, Delete).

Not modelled: the etcd lease that makes Events vanish after an hour; pages of etcd lists; encryption.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attrs import evolve, frozen

from chaoskube.models.apiserver.errors import ApiError, plain_error
from chaoskube.models.apiserver.flow import Effect, Flow
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.objects import KubeObject
from chaoskube.models.objects.sharing import made_once
from chaoskube.sim import Unsure, reached

REVISION_PROBE = "compact_rev_key"
"""Any key will do to ask etcd for its revision; this one exists or not, and is small."""


Change: TypeAlias = Callable[[KubeObject | None], Flow[KubeObject]]
"""From the newest version (None: there is none) to the next one, as a flow."""


@frozen(kw_only=True)
class Saved:
    """What a write left behind: the object with its version (None: removed), and the one before."""

    obj: KubeObject | None
    prev: KubeObject | None
    revision: int
    wrote: bool


def stamped(obj: KubeObject, revision: int) -> KubeObject:
    """`obj` as read at `revision`; shares everything but its metadata, and the digest of its content."""
    if obj.metadata.resource_version == str(revision):
        return obj
    return made_once(obj, revision, _stamp)


def _stamp(obj: KubeObject, revision: int) -> KubeObject:
    version = str(revision)
    result = evolve(obj, metadata=evolve(obj.metadata, resource_version=version))
    head, _, content = obj.digest_text().rpartition("#")
    # the content is the same: hashing it again for every server and version would cost more than the write
    object.__setattr__(result, "_digest", f"{head.rpartition(':')[0]}:{version}#{content}")
    return result


def unstamped(obj: KubeObject) -> KubeObject:
    """`obj` as it is stored."""
    if not obj.metadata.resource_version:
        return obj
    return evolve(obj, metadata=evolve(obj.metadata, resource_version=""))


def ask(request: etcd.Request) -> Flow[etcd.Response]:
    """One question to etcd; its errors become the API's."""
    effect: Effect = request
    outcome = yield effect
    if isinstance(outcome, etcd.EtcdError):
        raise plain_error(outcome.message)
    if isinstance(outcome, Unsure):
        # what the storage layer's client says when its context ends; the write may have happened
        raise plain_error("etcdserver: request timed out")
    assert outcome is not None and not isinstance(outcome, bool), f"etcd answered {outcome!r} to {request!r}"
    return outcome


def current_revision() -> Flow[int]:
    """etcd's revision now (linearizable)."""
    response = yield from ask(etcd.Range(key=REVISION_PROBE, keys_only=True))
    return response.revision


def read(key: str) -> Flow[KubeObject | None]:
    """The newest version of an object, straight from etcd."""
    response = yield from ask(etcd.Range(key=key))
    assert isinstance(response, etcd.RangeResponse)
    return _object(response)


def create(key: str, obj: KubeObject) -> Flow[Saved | None]:
    """Store a new object; None when there is one already."""
    new = unstamped(obj)
    response = yield from _txn(key, 0, etcd.Put(key=key, value=new))
    if not response.succeeded:
        return None
    return Saved(obj=stamped(new, response.revision), prev=None, revision=response.revision, wrote=True)


def guaranteed_update(key: str, cached: KubeObject | None, change: Change) -> Flow[Saved]:
    """Store what `change` makes of the newest version, however often that moves on meanwhile.

    `change` gets the object with its resource version (None when there is none), and returns the next one or
    raises ApiError; it may ask others meanwhile, and is asked again when the object has moved on.
    """
    current = cached
    is_fresh = cached is None
    if is_fresh:
        current = yield from read(key)
    while True:
        try:
            new = unstamped((yield from change(current)))
        except ApiError:
            if is_fresh:
                raise
            latest = yield from read(key)
            is_fresh = True
            if _version(latest) == _version(current):
                raise
            reached("apiserver: update refused on a stale cached copy")
            current = latest
            continue
        if current is not None and new == unstamped(current):
            if is_fresh:
                return Saved(obj=current, prev=current, revision=_version(current), wrote=False)
            current = yield from read(key)
            is_fresh = True
            continue
        seen = _version(current)
        response = yield from _txn(key, seen, etcd.Put(key=key, value=new))
        if response.succeeded:
            revision = response.revision
            return Saved(obj=stamped(new, revision), prev=current, revision=revision, wrote=True)
        reached("apiserver: update retried after a lost race")
        current = _object(response.responses[0])
        is_fresh = True


def delete(key: str, check: Callable[[KubeObject | None], KubeObject], first: KubeObject) -> Flow[Saved]:
    """Remove an object; `check` raises ApiError if the newest version must not go (None: it is gone)."""
    current = first
    while True:
        response = yield from _txn(key, _version(current), etcd.DeleteRange(key=key))
        if response.succeeded:
            revision = response.revision
            return Saved(obj=None, prev=stamped(current, revision), revision=revision, wrote=True)
        reached("apiserver: delete retried after a lost race")
        current = check(_object(response.responses[0]))


def _txn(key: str, seen: int, put: etcd.Put | etcd.DeleteRange) -> Flow[etcd.TxnResponse]:
    unchanged = etcd.Compare(key=key, target=etcd.CompareTarget.MOD, value=seen)
    request = etcd.Txn(compare=(unchanged,), success=(put,), failure=(etcd.Range(key=key),))
    response = yield from ask(request)
    assert isinstance(response, etcd.TxnResponse), f"a transaction answered with {response!r}"
    return response


def _object(response: etcd.ResponseOp) -> KubeObject | None:
    assert isinstance(response, etcd.RangeResponse), f"a read answered with {response!r}"
    return from_kv(response.kvs[0]) if response.kvs else None


def from_kv(kv: etcd.KeyValue) -> KubeObject:
    """The object in a key, with its resource version."""
    assert isinstance(kv.value, KubeObject), f"{kv.key} holds {kv.value!r}, which is no API object"
    return stamped(kv.value, kv.mod_revision)


def _version(obj: KubeObject | None) -> int:
    return int(obj.metadata.resource_version) if obj is not None else 0
