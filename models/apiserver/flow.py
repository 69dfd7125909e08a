"""How a request is written down: a generator that yields what it needs and is resumed with what came of it.

The handlers of this room decide; the shell (`server.py`) carries out what they yield and resumes them, and can
be replaced by a loop over a dictionary in tests. Nothing here waits or sends.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from random import Random
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from attrs import frozen

from chaoskube.models.etcd import messages as etcd
from chaoskube.sim import Unsure

if TYPE_CHECKING:
    from chaoskube.models.apiserver.admission.chain import Chain
    from chaoskube.models.apiserver.gate import Gate
    from chaoskube.models.apiserver.watch_cache import WatchCache
    from chaoskube.models.apiserver.webhook_calls import WebhookCaller
    from chaoskube.models.objects.resources import Resources

T = TypeVar("T")


@frozen
class UntilCached:
    """Wait until the cache of `resource` has seen `revision`; resumed with True, or False after 3 s."""

    resource: str
    revision: int


@frozen
class Pause:
    """Wait that long; resumed with None."""

    duration_ns: int


Outcome: TypeAlias = etcd.Response | etcd.EtcdError | Unsure | bool | None


@frozen
class Until:
    """Wait for something outside the flow: `begin` is called at once, with how to resume the flow, once."""

    begin: Callable[[Callable[[Outcome], None]], None]


Effect: TypeAlias = etcd.Request | UntilCached | Pause | Until
Flow: TypeAlias = Generator[Effect, Outcome, T]


class Context(Protocol):
    """What a handler may know of its server besides etcd."""

    name: str
    rng: Random
    resources: Resources
    """What this server serves."""
    admission: Chain
    """The plug-ins that look at what is written."""
    gate: Gate
    """Who may do what."""
    webhooks: WebhookCaller
    """How webhooks are asked."""

    @property
    def now(self) -> int:
        """Virtual time."""

    def wall_ns(self) -> int:
        """The server's wall clock."""

    def cache(self, resource: str) -> WatchCache:
        """This server's copy of a resource."""

    def record(self, event: object) -> None:
        """Into the journal."""
