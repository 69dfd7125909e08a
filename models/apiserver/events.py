"""What API servers write into the journal: each write that succeeded, as an audit log has it, each refusal, each list.

Recorded when etcd's answer reaches the server: before the client knows. A write whose answer was lost is not
here, though it may have happened (the etcd room's events know).
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.models.objects import KubeObject


@frozen(kw_only=True)
class Written:
    """`user` wrote an object through `server`; `obj` is None once it is removed, `prev` None when it is new."""

    server: str
    verb: str
    resource: str
    subresource: str
    key: str
    """namespace/name, or the name."""
    resource_version: int
    obj: KubeObject | None
    prev: KubeObject | None
    user: str
    requested_version: str = ""
    """The resource version in the request's body or preconditions; "" if it named none."""
    uid_asked: str = ""
    """The uid that the request insisted on; "" if it named none."""
    manager: str = ""
    """The field manager it wrote as."""


@frozen(kw_only=True)
class Rejected:
    """The server refused a write of `user`."""

    server: str
    verb: str
    resource: str
    subresource: str
    key: str
    code: int
    reason: str
    message: str
    user: str


@frozen(kw_only=True)
class ReadServed:
    """A list was answered, or a watch begun: by a cache, or by etcd itself."""

    server: str
    user: str
    verb: str
    resource: str
    prefix: str
    """The keys that it covers."""
    asked: str
    """The resource version that was asked for."""
    served: int
    """The revision of the answer."""
    source: str
    """`cache` or `etcd`."""


@frozen(kw_only=True)
class WatchServed:
    """A server's cache serves one more watch: mentioned, as are the two below, to whoever looks from outside."""

    resource: str
    watch: int
    wants_bookmarks: bool


@frozen(kw_only=True)
class BookmarkDue:
    """A watch is given a bookmark, unless there is nothing to say or its client is slow."""

    resource: str
    watch: int


@frozen(kw_only=True)
class WatchOver:
    """A server's cache no longer serves a watch."""

    resource: str
    watch: int


@frozen(kw_only=True)
class SlowWatchClosed:
    """A server closed a watch because its client took no more events."""

    server: str
    resource: str
    client: str


@frozen(kw_only=True)
class Denied:
    """No rule that `server` knows lets `user` do this: the request got 403 before anything was looked at."""

    server: str
    user: str
    verb: str
    group: str
    resource: str
    """With the subresource, as rules name it."""
    namespace: str
    name: str


@frozen(kw_only=True)
class CacheReset:
    """A server's watch cache of `resource` lost its etcd watch; the watches of its clients are over."""

    server: str
    resource: str
    watches: int
    reason: str


@frozen(kw_only=True)
class Compacted:
    """`server` had etcd forget what is older than `revision`."""

    server: str
    revision: int
