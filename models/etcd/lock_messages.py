"""Requests and answers of the lock and election services (server/etcdserver/api/v3lock, v3election).

`Observe` is answered again and again, each time under the number of its call. Used through `messages.py`.
"""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen

from chaoskube.models.etcd.key_values import KeyValue


@frozen(kw_only=True)
class Lock:
    """Wait for a lock, on a lease (0: one of 60 s that nobody keeps alive)."""

    name: str
    lease: int = 0


@frozen
class Unlock:
    """Give a lock back: the key that the lock answered."""

    key: str


@frozen(kw_only=True)
class LeaderKey:
    """A candidacy."""

    name: str
    key: str
    revision: int
    lease: int


@frozen(kw_only=True)
class Campaign:
    """Wait to be elected."""

    name: str
    lease: int = 0
    value: object = ""


@frozen(kw_only=True)
class Proclaim:
    """Another value for who is elected."""

    leader: LeaderKey
    value: object = ""


@frozen
class Leader:
    """Who is elected?"""

    name: str


@frozen
class Resign:
    """Give an election up."""

    leader: LeaderKey


@frozen
class Observe:
    """Tell who is elected, now and from now on: a `LeaderResponse` each time."""

    name: str


@frozen(kw_only=True)
class LockResponse:
    """The lock is held as long as `key` exists."""

    revision: int
    key: str


@frozen(kw_only=True)
class UnlockResponse:
    """Given back."""

    revision: int


@frozen(kw_only=True)
class CampaignResponse:
    """Elected."""

    revision: int
    leader: LeaderKey


@frozen(kw_only=True)
class ProclaimResponse:
    """Proclaimed."""

    revision: int


@frozen(kw_only=True)
class LeaderResponse:
    """The key of who is elected, with the value."""

    revision: int
    kv: KeyValue


@frozen(kw_only=True)
class ResignResponse:
    """Resigned."""

    revision: int


ServiceRequest: TypeAlias = Lock | Unlock | Campaign | Proclaim | Leader | Resign | Observe
ServiceResponse: TypeAlias = (
    LockResponse | UnlockResponse | CampaignResponse | ProclaimResponse | LeaderResponse | ResignResponse
)
