"""What a client's cache heard and what it holds now: told to whoever watches from outside, neither kept nor hashed.

An informer mentions here what its reflector hands on, in the order of the stream, and what its store became of it. The
god's view (`models/observer/client_views.py`) compares both with what etcd held. Called by `informer.py`.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.models.apiserver.api import Status
from chaoskube.models.objects import KubeObject


@frozen(kw_only=True, eq=False)
class View:
    """One cache in one life of a process: of which resource, and which part of it. The same as itself alone."""

    resource: str
    namespace: str = ""
    label_selector: str = ""
    field_selector: str = ""


@frozen(kw_only=True)
class StateHeard:
    """A list: this is all there was at `resource_version`."""

    view: View
    objects: tuple[KubeObject, ...]
    resource_version: str


@frozen(kw_only=True)
class ChangeHeard:
    """A watch event; `type` is ADDED, MODIFIED or DELETED."""

    view: View
    type: str
    obj: KubeObject


@frozen(kw_only=True)
class VersionHeard:
    """A bookmark: nothing else happened up to `resource_version`."""

    view: View
    resource_version: str


@frozen(kw_only=True)
class ReadBegun:
    """A reflector asks for the whole state as of a version ("": as of now)."""

    resource: str
    selection: tuple[str, str, str]
    """Namespace, label selector, field selector."""
    asked: str


@frozen(kw_only=True)
class ReadRefused:
    """A reflector asked for the whole state as of a version ("": as of now), and the server gave it an error."""

    resource: str
    selection: tuple[str, str, str]
    """Namespace, label selector, field selector."""
    asked: str
    status: Status

    @property
    def is_too_large(self) -> bool:
        """The server said that it has not come so far."""
        return any(cause.reason == "ResourceVersionTooLarge" for cause in self.status.causes)


@frozen(kw_only=True)
class ViewClosed:
    """Nobody asks this cache any more, and it is told nothing more."""

    view: View


@frozen(kw_only=True)
class StoreChanged:
    """What the store holds since now: each key that was touched, with its object, or None when it is gone."""

    view: View
    now: tuple[tuple[str, KubeObject | None], ...]
