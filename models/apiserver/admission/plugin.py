"""What a plug-in of the admission chain is: it may change an object, and it may refuse one.

A plug-in lives as long as its server's life, so what it remembers (a namespace that was just deleted, a quota that it
just wrote) is the memory of one server. Source: staging/src/k8s.io/apiserver/pkg/admission/interfaces.go.
"""

from __future__ import annotations

from chaoskube.models.apiserver.admission.attributes import Attributes, Target
from chaoskube.models.apiserver.flow import Context, Flow, UntilCached
from chaoskube.models.apiserver.storage import ask, current_revision, from_kv
from chaoskube.models.apiserver.watch_cache import WatchCache
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.objects import KubeObject


class Plugin:
    """A plug-in that does nothing; each real one overrides what it has to say."""

    name = ""

    def admits(self, target: Target) -> bool:
        """Whether `admit` has anything to do with this target; asked once for each."""
        return False

    def validates(self, target: Target) -> bool:
        """Whether `validate` has anything to do with this target; asked once for each."""
        return False

    def admit(self, ctx: Context, attributes: Attributes) -> Flow[Attributes]:
        """The request with the object that goes on, or ApiError."""
        yield from ()
        return attributes

    def validate(self, ctx: Context, attributes: Attributes) -> Flow[None]:
        """Nothing, or ApiError."""
        yield from ()


def synced(ctx: Context, attributes: Attributes, resource: str) -> Flow[WatchCache]:
    """This server's copy of a resource that a plug-in needs; 403 when it cannot be had in time.

    A cache that is only now asked for begins in the past: it has to catch up first, as those filled at boot have.
    """
    cache = ctx.cache(resource)
    if not cache.is_ready:
        yield UntilCached(resource, (yield from current_revision()))
    if not cache.is_ready:
        raise attributes.forbidden("not yet ready to handle request")
    return cache


def read_all(prefix: str) -> Flow[list[KubeObject]]:
    """What stands in etcd under a prefix, in the order of the keys: a plug-in's look behind its cache."""
    response = yield from ask(etcd.Range(key=prefix, range_end=etcd.prefix_end(prefix)))
    assert isinstance(response, etcd.RangeResponse), f"a read answered with {response!r}"
    return [from_kv(kv) for kv in response.kvs]
