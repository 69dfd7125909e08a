"""Changes of members as a member lives through them: proposed, refused, applied, and what follows at once.

A change takes effect when it is applied. Until then a leader takes no other, so that any two configurations in
force have overlapping quorums. Etcd-io/raft raft.go `stepLeader` (MsgProp), `applyConfChange`, `switchToConfig`; the
arithmetic is in `confchange`.
"""

from __future__ import annotations

from chaoskube.models.raft import replication, roles
from chaoskube.models.raft.confchange import Changer, restore
from chaoskube.models.raft.messages import (
    NONE,
    ConfChange,
    ConfChangeV2,
    ConfState,
    Entry,
    EntryType,
)
from chaoskube.models.raft.progress import Progress
from chaoskube.models.raft.ready import Role
from chaoskube.models.raft.state import RaftState
from chaoskube.models.raft.tracker import ProgressTracker, TrackerConfig
from chaoskube.sim import ModelBug, reached


def change_of(entry: Entry) -> ConfChangeV2 | None:
    """The change of members in `entry`; None for any other entry."""
    if entry.type is EntryType.ENTRY_NORMAL:
        return None
    if entry.data is None:
        return ConfChangeV2()
    assert isinstance(entry.data, ConfChange | ConfChangeV2)
    return entry.data.as_v2()


def entry_of(change: ConfChange | ConfChangeV2 | None) -> Entry:
    """The entry that proposes `change`; None leaves a joint configuration (raftpb/confchange.go)."""
    kind = EntryType.ENTRY_CONF_CHANGE if isinstance(change, ConfChange) else EntryType.ENTRY_CONF_CHANGE_V2
    return Entry(term=0, index=0, type=kind, data=change)


def screen(raft: RaftState, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """What a leader makes of proposed entries: a change that may not be made now becomes an empty entry."""
    if all(entry.type is EntryType.ENTRY_NORMAL for entry in entries):
        return entries
    screened = []
    for place, entry in enumerate(entries):
        change = change_of(entry)
        if change is None:
            screened.append(entry)
        elif refusal(raft, change) and not raft.config.disable_conf_change_validation:
            reached("raft: a change of members was refused")
            screened.append(Entry(term=0, index=0))
        else:
            raft.pending_conf_index = raft.log.last_index + place + 1
            screened.append(entry)
    return tuple(screened)


def refusal(raft: RaftState, change: ConfChangeV2) -> str:
    """Why `change` may not be proposed now, in etcd's words; "" when it may."""
    is_joint = bool(raft.tracker.config.voters.outgoing)
    if is_change_pending(raft):
        return f"possible unapplied conf change at index {raft.pending_conf_index} (applied to {raft.log.applied})"
    if is_joint and change.changes:
        return "must transition out of joint config first"
    if not is_joint and not change.changes:
        return "not in joint state; refusing empty conf change"
    return ""


def is_change_pending(raft: RaftState) -> bool:
    """May there be a change of members that we haven't applied?

    A new leader says yes until it has applied everything that it found, and so has committed an entry of its
    own term: changes of two leaders could otherwise have disjoint quorums.
    """
    return raft.pending_conf_index > raft.log.applied


def has_unapplied_change(raft: RaftState) -> bool:
    """Is a change of members committed and not applied? Nobody may campaign with an outdated configuration."""
    log = raft.log
    return log.applied < log.committed and any(
        entry.type is not EntryType.ENTRY_NORMAL for entry in log.slice(log.applied + 1, log.committed + 1)
    )


def apply_conf_change(raft: RaftState, change: ConfChangeV2) -> ConfState:
    """The entry of `change` is applied: adopt the configuration that it makes. `ConfChangeError` when it may not."""
    changer = Changer(tracker=raft.tracker, last_index=raft.log.last_index)
    if change.is_leave_joint:
        return switch_to(raft, *changer.leave_joint())
    if change.is_joint:
        return switch_to(raft, *changer.enter_joint(change.changes, auto_leave=change.is_auto_leave))
    return switch_to(raft, *changer.simple(change.changes))


def restore_configuration(raft: RaftState, conf_state: ConfState) -> None:
    """Adopt the configuration of a snapshot; what was known of anybody's progress is forgotten."""
    raft.tracker = ProgressTracker(
        max_inflight=raft.config.max_inflight_msgs, max_inflight_bytes=raft.config.max_inflight_bytes
    )
    changer = Changer(tracker=raft.tracker, last_index=raft.log.last_index)
    restored = switch_to(raft, *restore(changer, conf_state))
    if not _is_equivalent(restored, conf_state):
        raise ModelBug(f"the configuration {conf_state} was restored as {restored}")


def _is_equivalent(one: ConfState, other: ConfState) -> bool:
    return one.auto_leave == other.auto_leave and all(
        sorted(mine) == sorted(theirs)
        for mine, theirs in (
            (one.voters, other.voters),
            (one.learners, other.learners),
            (one.voters_outgoing, other.voters_outgoing),
            (one.learners_next, other.learners_next),
        )
    )


def switch_to(raft: RaftState, config: TrackerConfig, progress: dict[int, Progress]) -> ConfState:
    """Work with this configuration from now on, and do what it calls for."""
    tracker = raft.tracker
    tracker.config, tracker.progress = config, progress
    raft.peers = tuple(sorted(member for member in progress if member != raft.id))
    ours = progress.get(raft.id)
    raft.is_learner = ours is not None and ours.is_learner
    conf_state = tracker.conf_state()
    if raft.role is not Role.LEADER:
        return conf_state
    if ours is None or raft.is_learner:
        if raft.config.step_down_on_removal:
            reached("raft: a leader that was removed stepped down")
            roles.become_follower(raft, raft.term, NONE)
        return conf_state
    if conf_state.voters:
        _lead_on(raft)
    return conf_state


def _lead_on(raft: RaftState) -> None:
    """More may be committed by the new quorums; if not, don't let the new members wait for a heartbeat."""
    if replication.maybe_commit(raft):
        replication.broadcast_append(raft)
    else:
        for peer in raft.peers:
            replication.send_append(raft, peer, is_empty_worth_it=False)
    if raft.lead_transferee != NONE and raft.lead_transferee not in raft.tracker.config.voters:
        raft.lead_transferee = NONE
