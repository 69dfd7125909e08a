"""Requests and answers about members and their upkeep (api/etcdserverpb/rpc.proto, services Cluster and Maintenance).

Used through `messages.py`. A member is known by a small number that is never used again; its name is the process that runs it
and stands for its peer address.
Not modelled: authentication, downgrades, peer and client URLs, hashes of the whole file (Hash).
"""

from __future__ import annotations

import enum

from attrs import field, frozen


@frozen(kw_only=True)
class Member:
    """One member of the cluster."""

    id: int
    name: str
    is_learner: bool = False


class AlarmKind(enum.Enum):
    """What can be wrong with a member (AlarmType)."""

    NONE = "NONE"
    NOSPACE = "NOSPACE"
    CORRUPT = "CORRUPT"


class AlarmAction(enum.Enum):
    """What to do with alarms."""

    GET = "GET"
    ACTIVATE = "ACTIVATE"
    DEACTIVATE = "DEACTIVATE"


@frozen(kw_only=True)
class AlarmMember:
    """An alarm that is on."""

    member: int
    kind: AlarmKind


# -- maintenance


@frozen
class Status:
    """How is this member?"""


@frozen(kw_only=True)
class StatusResponse:
    """Sizes in bytes; `leader` 0 when this member knows of none."""

    revision: int
    member: int = 0
    leader: int = 0
    raft_term: int = 0
    raft_index: int = 0
    raft_applied_index: int = 0
    db_size: int = 0
    db_size_in_use: int = 0
    is_learner: bool = False
    errors: tuple[str, ...] = ()


@frozen
class Defragment:
    """Write this member's database anew, so that what is unused becomes free; it answers nobody meanwhile."""


@frozen(kw_only=True)
class DefragmentResponse:
    """Done."""

    revision: int


@frozen
class HashKV:
    """The hash of this member's keys up to `revision` (0: now)."""

    revision: int = 0


@frozen(kw_only=True)
class HashKVResponse:
    """Equal hashes mean equal content, if `compact_revision` and `hash_revision` are equal as well."""

    revision: int
    hash: int
    compact_revision: int
    hash_revision: int


@frozen
class SaveSnapshot:
    """This member's whole database."""


@frozen(kw_only=True)
class SaveSnapshotResponse:
    """`database` is a frozen value (`backend.Database`)."""

    revision: int
    database: object


@frozen
class MoveLeader:
    """Hand leadership to the member `target`; only the leader can."""

    target: int


@frozen(kw_only=True)
class MoveLeaderResponse:
    """Moved."""

    revision: int


@frozen(kw_only=True)
class Alarm:
    """Ask for alarms, or turn one on or off; `member` 0 means all."""

    action: AlarmAction = AlarmAction.GET
    member: int = 0
    kind: AlarmKind = AlarmKind.NONE


@frozen(kw_only=True)
class AlarmResponse:
    """The alarms that are meant."""

    revision: int
    alarms: tuple[AlarmMember, ...] = ()


# -- members


@frozen
class MemberAdd:
    """A new member, to be started afterwards."""

    name: str
    is_learner: bool = field(default=False, kw_only=True)


@frozen(kw_only=True)
class MemberAddResponse:
    """The new member, and all."""

    revision: int
    member: Member
    members: tuple[Member, ...] = ()


@frozen
class MemberRemove:
    """Take a member out, for ever."""

    id: int


@frozen(kw_only=True)
class MemberRemoveResponse:
    """Those that remain."""

    revision: int
    members: tuple[Member, ...] = ()


@frozen
class MemberPromote:
    """Let a learner vote."""

    id: int


@frozen(kw_only=True)
class MemberPromoteResponse:
    """All members."""

    revision: int
    members: tuple[Member, ...] = ()


@frozen
class MemberList:
    """Who is in the cluster; not `linearizable`: as far as this member knows."""

    linearizable: bool = field(default=True, kw_only=True)


@frozen(kw_only=True)
class MemberListResponse:
    """All members, by id."""

    revision: int
    members: tuple[Member, ...] = ()
