"""Who is in the cluster: the members that a member's database knows, and which changes of them are valid.

A change goes through Raft as an entry of its own kind. Each member checks it again when it is applied, against its own
database, and either all of them make it or none (server/etcdserver/api/membership/cluster.go
ValidateConfigurationChange). Ids are small numbers and never used again; a name is the process that runs the member
and stands for its peer address.

Pure. Called by the applier (`validate`, `apply`) and by whoever proposes changes.
Not modelled: client and peer URLs, cluster versions, several learners (etcd's limit is one).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zlib import crc32

from attrs import evolve, frozen

from chaoskube.models.etcd.backend import MEMBERS, Backend
from chaoskube.models.etcd.messages import (
    MEMBER_EXISTS,
    MEMBER_NOT_FOUND,
    MEMBER_NOT_LEARNER,
    PEER_URL_EXISTS,
    TOO_MANY_LEARNERS,
    EtcdError,
    Member,
)
from chaoskube.models.raft.messages import ConfChange, ConfChangeType, ConfState
from chaoskube.sim import UsageError

MEMBERS_MAX: Final = 7
RESTORED: Final = 1 << 32
LEARNERS_MAX: Final = 1
"""api/membership/cluster.go: ExperimentalMaxLearners."""


def check_cluster(names: Sequence[str]) -> None:
    """Refuse member lists that no cluster can be made of, in one sentence."""
    if not names:
        raise UsageError(f"an etcd cluster has at least 1 member and at most {MEMBERS_MAX}; none was named")
    if len(names) > MEMBERS_MAX:
        raise UsageError(f"{len(names)} members are too many: etcd clusters have at most {MEMBERS_MAX}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"each member is named once; {', '.join(twice)} stands there more than once")


def cluster_id(names: Sequence[str], token: str = "") -> int:
    """The number of a cluster, from its first members; a `token` makes another one of the same members."""
    number = crc32(",".join([*sorted(names), token]).encode())
    return number | RESTORED if token else number


def is_restored(cluster: int) -> bool:
    """Was it made anew from a backup, so that an older cluster of the same members may still be heard of?"""
    return bool(cluster & RESTORED)


@frozen(kw_only=True)
class MemberRecord:
    """A member in the database. It is started once it has said so through the log (`MemberStarted`)."""

    member: Member
    is_started: bool = False


@frozen
class RemovedMember:
    """In the database, where a member was: its id is never given again."""

    name: str


@frozen
class NewMember:
    """The context of a change that adds a member."""

    name: str


@frozen
class Promotion:
    """The context of a change that lets a learner vote."""


@frozen
class MemberStarted:
    """A request of a member itself: it runs (server/etcdserver/server.go publishV3)."""

    id: int


class Membership:
    """The members as one member's database has them."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.names: dict[int, str] = {}
        """Where each member is reached; also those that only the command line has told of."""
        self.members: dict[int, MemberRecord] = {}
        self.removed: dict[int, str] = {}
        self.reload(backend)

    def reload(self, backend: Backend) -> None:
        """Another database took the place of the old one."""
        self._backend = backend
        self.members.clear()
        self.removed.clear()
        for number, value in backend.items(MEMBERS):
            assert isinstance(number, int)
            if isinstance(value, MemberRecord):
                self.members[number] = value
                self.names[number] = value.member.name
            elif isinstance(value, RemovedMember):
                self.removed[number] = value.name
                self.names.pop(number, None)

    # -- questions

    @property
    def voters(self) -> tuple[int, ...]:
        """Those that vote."""
        return tuple(number for number, one in self.members.items() if not one.member.is_learner)

    @property
    def learners(self) -> tuple[int, ...]:
        """Those that don't."""
        return tuple(number for number, one in self.members.items() if one.member.is_learner)

    @property
    def all(self) -> tuple[Member, ...]:
        """Everybody, by id."""
        return tuple(self.members[number].member for number in sorted(self.members))

    @property
    def conf_state(self) -> ConfState:
        """As Raft wants it at boot (server/etcdserver/bootstrap.go buildConfStateFromV3store)."""
        return ConfState(voters=tuple(sorted(self.voters)), learners=tuple(sorted(self.learners)))

    @property
    def next_id(self) -> int:
        """A number that no member has or had."""
        return max([0, *self.members, *self.removed]) + 1

    def is_learner(self, number: int) -> bool:
        """Has this member no vote?"""
        record = self.members.get(number)
        return record is not None and record.member.is_learner

    def names_of(self, numbers: Sequence[int]) -> tuple[str, ...]:
        """Names for ids."""
        return tuple(self.names.get(number, f"member {number}") for number in numbers)

    # -- strict reconfiguration checks (cluster.go IsReadyTo...): would those that run still be a quorum?

    def may_add_voter(self) -> bool:
        """A member more, not started."""
        started, voters = self._started_voters(), len(self.voters)
        return (started == 1 and voters == 1) or started >= _quorum(voters + 1)

    def may_remove(self, number: int) -> bool:
        """One less."""
        left = [one for one in self.voters if one != number]
        return self._started_voters(without=number) >= _quorum(len(left))

    def may_promote(self) -> bool:
        """The learner counts as started."""
        return self._started_voters() + 1 >= _quorum(len(self.voters) + 1)

    def _started_voters(self, without: int = 0) -> int:
        return sum(self.members[number].is_started for number in self.voters if number != without)

    # -- changes

    def validate(self, change: ConfChange) -> EtcdError | None:
        """Is the change still valid, now that it is its turn?"""
        number = change.node_id
        known = self.members.get(number)
        if number in self.removed:
            return MEMBER_NOT_FOUND
        if change.type is ConfChangeType.REMOVE_NODE:
            return MEMBER_NOT_FOUND if known is None else None
        if isinstance(change.context, Promotion):
            if known is None:
                return MEMBER_NOT_FOUND
            return None if known.member.is_learner else MEMBER_NOT_LEARNER
        assert isinstance(change.context, NewMember), f"what is {change.context!r} to a list of members?"
        if known is not None:
            return MEMBER_EXISTS
        if any(one.name == change.context.name for one in self.all):
            return PEER_URL_EXISTS
        is_learner = change.type is ConfChangeType.ADD_LEARNER_NODE
        return TOO_MANY_LEARNERS if is_learner and len(self.learners) >= LEARNERS_MAX else None

    def apply(self, change: ConfChange) -> None:
        """Make a valid change."""
        number = change.node_id
        if change.type is ConfChangeType.REMOVE_NODE:
            gone = self.members.pop(number)
            self.removed[number] = gone.member.name
            self.names.pop(number, None)
            self._backend.put(MEMBERS, number, RemovedMember(gone.member.name))
            return
        if isinstance(change.context, Promotion):
            old = self.members[number]
            record = evolve(old, member=evolve(old.member, is_learner=False))
        else:
            assert isinstance(change.context, NewMember)
            is_learner = change.type is ConfChangeType.ADD_LEARNER_NODE
            record = MemberRecord(member=Member(id=number, name=change.context.name, is_learner=is_learner))
        self._put(record)

    def started(self, number: int) -> None:
        """A member has said that it runs."""
        known = self.members.get(number)
        if known is not None and not known.is_started:
            self._put(evolve(known, is_started=True))

    def _put(self, record: MemberRecord) -> None:
        number = record.member.id
        self.members[number] = record
        self.names[number] = record.member.name
        self._backend.put(MEMBERS, number, record)


def _quorum(size: int) -> int:
    return size // 2 + 1
