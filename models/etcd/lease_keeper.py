"""The part of a member that keeps leases alive: the leader's lease clock, and questions from other members.

Keep-alives and questions for the time left are answered by the leader alone, and only once its quorum has confirmed
that it still leads (a read index); other members pass them on. A lease that has run out but is not revoked yet can
no more be renewed: who asks waits until it is gone (server/etcdserver/v3_server.go LeaseRenew, leaseTimeToLive;
server/lease/lessor.go Renew, leasehttp/http.go).

Every 500 ms the leader looks for leases that have run out (at most 500 a look), makes sure of its leadership as
well (etcd issue 15247), and has them revoked through Raft; and it notes the time of long leases for the next leader.
A member keeps time from when it has applied all that its predecessors left (applyEntryNormal of the empty entry).

etcd itself skips the confirmation when its Raft loop has ticked within the last 3 ticks, which leaves a window after
a pause; here it is always asked for, as PR 20615 wants it.

Made by `member.boot_member`; time is the host's monotonic clock. Not modelled: peers that refuse the connection.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import attrs
from attrs import define, frozen

from chaoskube.models.constants import ETCD_REQUEST_TIMEOUT, ETCD_TICK
from chaoskube.models.etcd.lease import CHECKPOINTS_MAX, Lessor
from chaoskube.models.etcd.messages import (
    LEADER_CHANGED,
    NO_LEADER,
    TIMED_OUT,
    EtcdError,
    LeaseCheckpoint,
    LeaseKeepAlive,
    LeaseKeepAliveResponse,
    LeaseRevoke,
    LeaseTimeToLive,
    LeaseTimeToLiveResponse,
    Response,
)
from chaoskube.models.etcd.replica import Replica
from chaoskube.sim import MILLISECOND, SECOND, Process, Timer, reached

CHECK_TICKS: Final = 5
"""lessor.go runLoop: 500 ms."""
PROMOTE_EXTRA_NS: Final = 10 * ETCD_TICK
"""A new leader adds an election time-out to every lease (Promote)."""
RETRY_NS: Final = 50 * MILLISECOND
"""After the leader's refusal (v3_server.go LeaseRenew)."""
RESEND_NS: Final = SECOND
"""What was sent to the leader and not answered is sent again, as TCP would."""
NOT_PRIMARY: Final = EtcdError(code="Unknown", message="not a primary lessor", is_definite=False)
"""lessor.go ErrNotPrimary, which has no gRPC code of its own."""

LeaseRequest = LeaseKeepAlive | LeaseTimeToLive
Answerer = Callable[[Response | EtcdError], None]


def local_now(process: Process) -> int:
    """The clock that leases run on."""
    return process.monotonic_ns()


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


@define(kw_only=True)
class _Passed:
    """A question that was passed on, until it is answered or too old."""

    request: LeaseRequest
    answer: Answerer
    give_up: Timer
    again: Timer | None = None


@frozen(kw_only=True)
class _Question:
    """What a leader is to answer; `moved` is called instead when it leads no more."""

    request: LeaseRequest
    answer: Answerer
    moved: Callable[[], object]


class LeaseKeeper:
    """Lease time at one member."""

    def __init__(self, member: Replica) -> None:
        self._member = member
        self._passed: dict[int, _Passed] = {}
        self._ending: dict[int, list[_Question]] = {}
        member.on_tick.append(self._on_tick)
        member.on_leading.append(self._on_leading)
        member.on_peer[_Ask] = self._on_ask
        member.on_peer[_Told] = self._on_told

    @property
    def _lessor(self) -> Lessor:
        """The one of the store as it is now: a snapshot replaces both."""
        return self._member.state.lessor

    def request(self, request: LeaseRequest, answer: Answerer) -> None:
        """Answer a client's question, or have the leader answer it."""
        if isinstance(request, LeaseKeepAlive):
            # The header is made before: a lease that is revoked at 3 is not seen renewed at 4 (v3rpc/lease.go).
            answer = partial(self._with_revision, self._member.state.store.revision, answer)
        if self._member.is_leader:
            moved = partial(self._pass_on, request, answer)
            self._answer_as_leader(_Question(request=request, answer=answer, moved=moved))
        else:
            self._pass_on(request, answer)

    def _with_revision(self, revision: int, answer: Answerer, response: Response | EtcdError) -> None:
        if isinstance(response, LeaseKeepAliveResponse):
            response = attrs.evolve(response, revision=revision)
        answer(response)

    # -- at the leader

    def _answer_as_leader(self, question: _Question) -> None:
        self.confirm_leadership(partial(self._confirmed, question))

    def confirm_leadership(self, go_on: Callable[[EtcdError | None], None]) -> None:
        """Call `go_on(None)` once a quorum has said that this member still leads, and it has applied all of it.

        `go_on` decides with `is_primary` whether that is still so.
        """
        self._member.when_current(go_on)

    def _confirmed(self, question: _Question, error: EtcdError | None) -> None:
        request = question.request
        if isinstance(request, LeaseTimeToLive):
            question.answer(error if error is not None else self._time_to_live(request))
        elif error is not None:
            # The client shall try another member, not wait here.
            question.answer(NOT_PRIMARY)
        else:
            self._keep_alive(question, request.id)

    def _keep_alive(self, question: _Question, lease_id: int) -> None:
        lessor = self._lessor
        lease = lessor.leases.get(lease_id)
        if not lessor.is_primary:
            question.moved()
        elif lease is not None and (lease.expires_at or 0) <= local_now(self._member.process):
            reached("etcd: a keep-alive came when the lease had run out")
            self._ending.setdefault(lease_id, []).append(question)
        elif lessor.needs_clearing(lease_id):
            clearing = LeaseCheckpoint(((lease_id, 0),))
            self._member.write(clearing, lambda _response: self._renew(question, lease_id))
        else:
            self._renew(question, lease_id)

    def _renew(self, question: _Question, lease_id: int) -> None:
        if not self._lessor.is_primary:
            question.moved()
            return
        lease = self._lessor.renew(lease_id, local_now(self._member.process))
        question.answer(self._alive(lease_id, lease.ttl if lease is not None else 0))

    def _alive(self, lease_id: int, ttl: int) -> LeaseKeepAliveResponse:
        return LeaseKeepAliveResponse(revision=self._member.state.store.revision, id=lease_id, ttl=ttl)

    def _time_to_live(self, request: LeaseTimeToLive) -> Response | EtcdError:
        lessor, revision = self._lessor, self._member.state.store.revision
        lease = lessor.leases.get(request.id)
        if lease is None:
            return LeaseTimeToLiveResponse(revision=revision, id=request.id, ttl=-1)
        left = lessor.remaining(request.id, local_now(self._member.process))
        if left is None:
            return LEADER_CHANGED
        keys = tuple(sorted(lease.keys)) if request.keys else ()
        return LeaseTimeToLiveResponse(
            revision=revision, id=request.id, ttl=left, granted_ttl=lease.ttl, keys=keys
        )

    # -- between members

    def _pass_on(self, request: LeaseRequest, answer: Answerer) -> None:
        number = self._member.new_id()
        give_up = self._member.process.call_later(ETCD_REQUEST_TIMEOUT, self._give_up, number)
        self._passed[number] = _Passed(request=request, answer=answer, give_up=give_up)
        self._ask(number)

    def _ask(self, number: int) -> None:
        passed = self._passed.get(number)
        if passed is None:
            return
        leader = self._member.leader
        if self._member.is_leader:
            self._answer_as_leader(self._question(passed.request, partial(self._told, number)))
        elif leader is not None:
            self._member.process.send(leader, _Ask(number, passed.request))
        passed.again = self._member.process.call_later(RESEND_NS, self._ask, number)

    def _give_up(self, number: int) -> None:
        self._finish(number, NO_LEADER if self._member.leader is None else TIMED_OUT)

    def _on_ask(self, sender: str, message: object) -> None:
        assert isinstance(message, _Ask)
        number = message.number

        def tell(response: Response | EtcdError) -> None:
            self._member.process.send(sender, _Told(number, response))

        if self._member.is_leader:
            self._answer_as_leader(self._question(message.request, tell))
        else:
            tell(NOT_PRIMARY)

    def _question(self, request: LeaseRequest, answer: Answerer) -> _Question:
        """One whose asker tries again when this member leads no more."""
        return _Question(request=request, answer=answer, moved=partial(answer, NOT_PRIMARY))

    def _on_told(self, _sender: str, message: object) -> None:
        assert isinstance(message, _Told)
        self._told(message.number, message.response)

    def _told(self, number: int, response: Response | EtcdError) -> None:
        passed = self._passed.get(number)
        if passed is None:
            return
        if response == NOT_PRIMARY:
            if passed.again is not None:
                passed.again.cancel()
            passed.again = self._member.process.call_later(RETRY_NS, self._ask, number)
        else:
            self._finish(number, response)

    def _finish(self, number: int, response: Response | EtcdError) -> None:
        passed = self._passed.pop(number)
        passed.give_up.cancel()
        if passed.again is not None:
            passed.again.cancel()
        if isinstance(response, LeaseTimeToLiveResponse):
            response = attrs.evolve(response, revision=self._member.state.store.revision)
        passed.answer(response)

    # -- the leader's clock

    def _on_leading(self, leads: bool) -> None:
        if leads:
            self._lessor.promote(local_now(self._member.process), PROMOTE_EXTRA_NS)
        else:
            self._lessor.demote()
            self._answer_ending()

    def _on_tick(self, ticks: int) -> None:
        if self._ending:
            self._answer_ending()
        if ticks % CHECK_TICKS == 0 and self._lessor.is_primary:
            self._revoke_expired()
            self._note_times()

    def _answer_ending(self) -> None:
        """Keep-alives of leases that had run out: they are gone by now, or another leads."""
        lessor = self._lessor
        for lease_id in list(self._ending):
            if not lessor.is_primary:
                for question in self._ending.pop(lease_id):
                    question.moved()
            elif lease_id not in lessor.leases:
                for question in self._ending.pop(lease_id):
                    question.answer(self._alive(lease_id, 0))

    def _revoke_expired(self) -> None:
        due = self._lessor.due(local_now(self._member.process))
        if due:
            self.confirm_leadership(partial(self._revoke, due))

    def _revoke(self, due: list[int], error: EtcdError | None) -> None:
        if error is None and self._member.is_leader:
            for lease_id in due:
                if lease_id in self._lessor.leases:
                    self._member.propose_only(LeaseRevoke(lease_id))

    def _note_times(self) -> None:
        found = self._lessor.due_checkpoints(local_now(self._member.process))
        if found:
            self.confirm_leadership(partial(self._propose_checkpoints, found))
            if len(found) == CHECKPOINTS_MAX:
                self._note_times()

    def _propose_checkpoints(self, found: tuple[tuple[int, int], ...], error: EtcdError | None) -> None:
        if error is None and self._member.is_leader:
            self._member.propose_only(LeaseCheckpoint(found))
