"""What API servers write into the journal: each write that succeeded, as an audit log has it, and each refusal.

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
