"""The part of a member that keeps leases alive: the leader's lease clock, and questions from other members.

Keep-alives and questions for the time left are answered by the leader alone, which makes sure first that it
still leads (server/etcdserver/v3_server.go LeaseRenew, checkLeaseTimeToLive); other members pass them on. What has run
out is revoked through Raft, looked for every 500 ms (server/lease/lessor.go).

Made by `member.boot_member`. Not modelled: the limit of revocations a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import frozen

from chaoskube.models.constants import ETCD_REQUEST_TIMEOUT, ETCD_TICK
from chaoskube.models.etcd.messages import (
    NO_LEADER,
    TIMED_OUT,
    EtcdError,
    LeaseKeepAlive,
    LeaseKeepAliveResponse,
    LeaseRevoke,
    LeaseTimeToLive,
    LeaseTimeToLiveResponse,
    Response,
)
from chaoskube.models.etcd.replica import Replica
from chaoskube.sim import SECOND, Timer

CHECK_TICKS: Final = 5
REVOKE_RETRY_NS: Final = 3 * SECOND
"""server/lease/lessor.go defaultExpiredleaseRetryInterval."""
PROMOTE_EXTRA_NS: Final = 10 * ETCD_TICK
"""A new leader adds an election time-out to every lease (Promote)."""

LeaseRequest = LeaseKeepAlive | LeaseTimeToLive


@frozen
class _Ask:
    """A member passes a client's question on to the leader."""

    number: int
    request: LeaseRequest


@frozen
class _Told:
    """The leader's answer."""

    number: int
    response: Response | EtcdError


class LeaseKeeper:
    """Lease time at one member."""

    def __init__(self, member: Replica) -> None:
        self._member = member
        self._lessor = member.state.lessor
        self._asked: dict[int, tuple[Callable[[Response | EtcdError], None], Timer]] = {}
        member.on_tick.append(self._on_tick)
        member.on_leading.append(self._on_leading)
        member.on_peer[_Ask] = self._on_ask
        member.on_peer[_Told] = self._on_told

    def request(self, request: LeaseRequest, answer: Callable[[Response | EtcdError], None]) -> None:
        """Answer a client's question, or have the leader answer it."""
        member = self._member
        if member.is_leader:
            self._answer_as_leader(request, answer)
            return
        number = member.new_id()
        timer = member.process.call_later(ETCD_REQUEST_TIMEOUT, self._on_told, "", _Told(number, TIMED_OUT))
        self._asked[number] = (answer, timer)
        if member.leader is not None:
            member.process.send(member.leader, _Ask(number, request))

    def _answer_as_leader(
        self, request: LeaseRequest, answer: Callable[[Response | EtcdError], None]
    ) -> None:
        def go_on(error: EtcdError | None) -> None:
            answer(error if error is not None else self._now_answer(request))

        self._member.when_current(go_on)

    def _now_answer(self, request: LeaseRequest) -> Response | EtcdError:
        if not self._lessor.is_primary:
            return NO_LEADER
        revision, now = self._member.state.store.revision, self._member.process.now
        if isinstance(request, LeaseKeepAlive):
            renewed = self._lessor.renew(request.id, now)
            return LeaseKeepAliveResponse(
                revision=revision, id=request.id, ttl=renewed.ttl if renewed is not None else 0
            )
        lease = self._lessor.leases.get(request.id)
        left = self._lessor.remaining(request.id, now)
        return LeaseTimeToLiveResponse(
            revision=revision,
            id=request.id,
            ttl=left if left is not None else -1,
            granted_ttl=lease.ttl if lease is not None else 0,
        )

    def _on_ask(self, sender: str, message: object) -> None:
        assert isinstance(message, _Ask)
        number = message.number

        def tell(response: Response | EtcdError) -> None:
            self._member.process.send(sender, _Told(number, response))

        if self._member.is_leader:
            self._answer_as_leader(message.request, tell)

    def _on_told(self, _sender: str, message: object) -> None:
        assert isinstance(message, _Told)
        waiting = self._asked.pop(message.number, None)
        if waiting is not None:
            answer, timer = waiting
            timer.cancel()
            answer(message.response)

    # -- the leader's clock

    def _on_leading(self, leads: bool) -> None:
        if leads:
            self._lessor.promote(self._member.process.now + PROMOTE_EXTRA_NS)
        else:
            self._lessor.demote()

    def _on_tick(self, ticks: int) -> None:
        if ticks % CHECK_TICKS or not self._lessor.is_primary:
            return
        now = self._member.process.now
        for lease_id in self._lessor.expired(now):
            lease = self._lessor.leases[lease_id]
            lease.expires_at, lease.is_ending = now + REVOKE_RETRY_NS, True
            self._member.propose_only(LeaseRevoke(lease_id))
