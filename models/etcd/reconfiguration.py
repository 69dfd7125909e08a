"""Requests to change the members, at the member that was asked: checked for danger, then proposed.

With strict checks (the default) a change is refused when too few of those who vote have started, or when this member
does not reach enough of them (server/etcdserver/server.go mayAddMember, mayRemoveMember, mayPromoteMember). Whether a
learner has caught up, at least nine tenths of the log, only the leader knows: others pass a promotion on.

Made by `replica.py`. Whether a change is still valid is decided again when it is applied (`membership.py`).
Not modelled: changes of addresses (MemberUpdate).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from attrs import frozen

from chaoskube.models.constants import ETCD_REQUEST_TIMEOUT
from chaoskube.models.etcd.boot import AskCluster, ToldCluster
from chaoskube.models.etcd.membership import MemberStarted, NewMember, Promotion
from chaoskube.models.etcd.messages import (
    LEARNER_NOT_READY,
    MEMBER_NOT_ENOUGH_STARTED,
    MEMBER_NOT_FOUND,
    NOT_LEADER,
    TIMED_OUT,
    UNHEALTHY,
    EtcdError,
    MemberAdd,
    MemberAddResponse,
    MemberList,
    MemberListResponse,
    MemberPromote,
    MemberPromoteResponse,
    MemberRemove,
    MemberRemoveResponse,
    Response,
)
from chaoskube.models.etcd.proposals import Answerer
from chaoskube.models.raft.messages import ConfChange, ConfChangeType
from chaoskube.sim import Timer

if TYPE_CHECKING:
    from chaoskube.models.etcd.replica import Replica

READY_TENTHS: Final = 9
"""server.go readyPercentThreshold."""


@frozen
class _AskPromotion:
    """A member passes a promotion on to the leader."""

    number: int
    id: int


@frozen
class _ToldPromotion:
    """The leader's answer."""

    number: int
    response: Response | EtcdError


class Reconfiguration:
    """Changes of members asked of one member."""

    def __init__(self, member: Replica) -> None:
        self._member = member
        self._asked: dict[int, tuple[Answerer, Timer]] = {}
        self._is_publishing = False
        self._is_published = False
        self._then: Callable[[], None] | None = None
        member.on_peer[AskCluster] = self._on_ask_cluster
        member.on_peer[_AskPromotion] = self._on_ask
        member.on_peer[_ToldPromotion] = self._on_told

    # -- list

    def list(self, request: MemberList, answer: Answerer) -> None:
        """Who is in the cluster; up to date unless the client doesn't care."""
        if request.linearizable:
            self._member.when_current(partial(self._list, answer))
        else:
            self._list(answer, None)

    def _list(self, answer: Answerer, error: EtcdError | None) -> None:
        member = self._member
        response = MemberListResponse(revision=member.state.store.revision, members=member.membership.all)
        answer(error if error is not None else response)

    # -- add and remove

    def add(self, request: MemberAdd, answer: Answerer) -> None:
        """A new member, which may start when this is answered."""
        membership = self._member.membership
        change = ConfChange(
            type=ConfChangeType.ADD_LEARNER_NODE if request.is_learner else ConfChangeType.ADD_NODE,
            node_id=membership.next_id,
            context=NewMember(request.name),
            id=self._member.new_id(),
        )
        self._unless_dangerous(partial(self._may_add, change), change, answer)

    def remove(self, request: MemberRemove, answer: Answerer) -> None:
        """A member less."""
        change = ConfChange(type=ConfChangeType.REMOVE_NODE, node_id=request.id, id=self._member.new_id())
        self._unless_dangerous(partial(self._may_remove, change), change, answer)

    def _unless_dangerous(
        self,
        refusal: Callable[[frozenset[str]], EtcdError | None],
        change: ConfChange,
        answer: Answerer,
    ) -> None:
        member = self._member
        if not member.options.strict_reconfig_check:
            member.change(change, answer)
            return

        def go_on(heard: frozenset[str]) -> None:
            error = refusal(heard)
            if error is not None:
                answer(error)
            else:
                member.change(change, answer)

        others = [number for number in member.membership.voters if number != member.id]
        member.peers.ask(member.membership.names_of(others), go_on)

    def _may_add(self, change: ConfChange, heard: frozenset[str]) -> EtcdError | None:
        membership = self._member.membership
        if change.type is ConfChangeType.ADD_NODE and not membership.may_add_voter():
            return MEMBER_NOT_ENOUGH_STARTED
        voters = len(membership.voters)
        return None if voters == 1 or self._reached(heard) >= (voters + 1) // 2 + 1 else UNHEALTHY

    def _may_remove(self, change: ConfChange, heard: frozenset[str]) -> EtcdError | None:
        membership, number = self._member.membership, change.node_id
        if membership.is_learner(number):
            return None
        if not membership.may_remove(number):
            return MEMBER_NOT_ENOUGH_STARTED
        if number != self._member.id and membership.names.get(number) not in heard:
            # It is down, so nobody counts on it.
            return None
        voters = len(membership.voters)
        return None if self._reached(heard) - 1 >= 1 + (voters - 1) // 2 else UNHEALTHY

    def _reached(self, heard: frozenset[str]) -> int:
        """Voters in contact, this member among them whether it votes or not (util.go numConnectedSince)."""
        return len(heard) + (self._member.id in self._member.membership.voters)

    # -- promote

    def promote(self, request: MemberPromote, answer: Answerer) -> None:
        """Let a learner vote, if the leader finds that it has caught up."""
        member = self._member
        if member.is_leader:
            self._promote_as_leader(request.id, answer)
            return
        number = member.new_id()
        timer = member.process.call_later(
            ETCD_REQUEST_TIMEOUT, self._on_told, "", _ToldPromotion(number, TIMED_OUT)
        )
        self._asked[number] = (answer, timer)
        if member.leader is not None:
            member.process.send(member.leader, _AskPromotion(number, request.id))

    def _promote_as_leader(self, number: int, answer: Answerer) -> None:
        member = self._member
        error = self._why_not_ready(number)
        if error is None and member.options.strict_reconfig_check and not member.membership.may_promote():
            error = MEMBER_NOT_ENOUGH_STARTED
        if error is not None:
            answer(error)
            return
        change = ConfChange(
            type=ConfChangeType.ADD_NODE, node_id=number, context=Promotion(), id=member.new_id()
        )
        member.change(change, answer)

    def _why_not_ready(self, number: int) -> EtcdError | None:
        if not self._member.is_leader:
            return NOT_LEADER
        progress = self._member.raft.tracker.progress
        if number not in progress:
            return MEMBER_NOT_FOUND
        leaders = progress[self._member.id].match if self._member.id in progress else 0
        return None if is_caught_up(progress[number].match, leaders) else LEARNER_NOT_READY

    def _on_ask(self, sender: str, message: object) -> None:
        assert isinstance(message, _AskPromotion)
        number = message.number
        if self._member.is_leader:
            self._promote_as_leader(
                message.id,
                lambda response: self._member.process.send(sender, _ToldPromotion(number, response)),
            )

    def _on_told(self, _sender: str, message: object) -> None:
        assert isinstance(message, _ToldPromotion)
        waiting = self._asked.pop(message.number, None)
        if waiting is not None:
            answer, timer = waiting
            timer.cancel()
            answer(message.response)

    # -- members that begin

    def when_published(self, then: Callable[[], None]) -> None:
        """Call `then` once the log says that this member has started: only then it serves clients (embed/serve.go)."""
        self._then = then

    def publish(self) -> None:
        """Say through the log that this member has started, again at each start and until it is applied here."""
        is_member = self._member.id in self._member.membership.members
        if is_member and not self._is_published and not self._is_publishing:
            self._is_publishing = True
            self._member.propose_own(MemberStarted(self._member.id), self._published)

    def _published(self, response: Response | EtcdError) -> None:
        self._is_publishing = False
        self._is_published = not isinstance(response, EtcdError)
        if not self._is_published:
            self.publish()
        elif self._then is not None:
            self._then()

    def _on_ask_cluster(self, sender: str, _message: object) -> None:
        """Answered by whoever knows of it as of one that hasn't started.

        Etcd's answer with whatever they know: who is behind may tell of a former member at the same place, whose number
        the new one then takes, to be told that it is gone (cluster_util.go, GetClusterFromRemotePeers).
        """
        membership = self._member.membership
        if any(one.member.name == sender and not one.is_started for one in membership.members.values()):
            told = ToldCluster(cluster=self._member.cluster, members=membership.all)
            self._member.process.send(sender, told)

    # -- answers

    def answer_for(self, change: ConfChange) -> Response:
        """What whoever asked for a change hears when it is applied."""
        membership = self._member.membership
        revision, members = self._member.state.store.revision, membership.all
        if change.type is ConfChangeType.REMOVE_NODE:
            return MemberRemoveResponse(revision=revision, members=members)
        if isinstance(change.context, Promotion):
            return MemberPromoteResponse(revision=revision, members=members)
        added = membership.members[change.node_id].member
        return MemberAddResponse(revision=revision, member=added, members=members)


def is_caught_up(match: int, leaders: int) -> bool:
    """Does a learner have nine tenths of the leader's log? (server.go isLearnerReady)"""
    return match * 10 >= leaders * READY_TENTHS
