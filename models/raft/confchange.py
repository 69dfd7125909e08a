"""Changes of members, pure: from a configuration and a list of changes to the next configuration, or a refusal.

A *simple* change moves at most one voter and takes effect at once. A bigger one goes through a *joint*
configuration: `enter_joint` keeps the voters of before as the outgoing half, so that both groups must agree,
and `leave_joint` drops it. Nothing is changed in place: the answer is a new configuration and new progress
for everybody in it, which the caller adopts or not.

Etcd-io/raft confchange/confchange.go and confchange/restore.go; the texts of refusals are etcd's. Called by
the core when an entry that changes members is applied, and when a member starts from a snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, frozen

from chaoskube.models.raft.messages import ConfChangeSingle, ConfChangeType, ConfState
from chaoskube.models.raft.progress import Progress
from chaoskube.models.raft.quorum import JointVoters
from chaoskube.models.raft.tracker import ProgressTracker, TrackerConfig
from chaoskube.sim import ModelBug

Changed = tuple[TrackerConfig, dict[int, Progress]]
"""A configuration and the progress of everybody in it."""


class ConfChangeError(Exception):
    """A change that may not be made to this configuration; nothing has changed."""


@frozen(kw_only=True)
class Changer:
    """Computes changes to what `tracker` holds; new members are first probed at `last_index`."""

    tracker: ProgressTracker
    last_index: int

    def simple(self, changes: Sequence[ConfChangeSingle]) -> Changed:
        """Change one voter at most, and any learners, at once."""
        draft = self._draft()
        if draft.outgoing:
            raise ConfChangeError("can't apply simple config change in joint config")
        draft.apply(changes)
        if len({*self.tracker.config.voters.incoming} ^ {*draft.incoming}) > 1:
            raise ConfChangeError("more than one voter changed without entering joint config")
        return draft.finish()

    def enter_joint(self, changes: Sequence[ConfChangeSingle], *, auto_leave: bool) -> Changed:
        """Keep the voters of now as the outgoing half, and change the incoming one at will."""
        draft = self._draft()
        if draft.outgoing:
            raise ConfChangeError("config is already joint")
        if not draft.incoming:
            raise ConfChangeError("can't make a zero-voter config joint")
        draft.outgoing = draft.incoming
        draft.apply(changes)
        draft.auto_leave = auto_leave
        return draft.finish()

    def leave_joint(self) -> Changed:
        """Drop the outgoing half; voters that were to become learners now do."""
        draft = self._draft()
        if not draft.outgoing:
            raise ConfChangeError("can't leave a non-joint config")
        draft.leave()
        return draft.finish()

    def _draft(self) -> _Draft:
        config = self.tracker.config
        check_configuration(config, self.tracker.progress)
        return _Draft(
            incoming=config.voters.incoming,
            outgoing=config.voters.outgoing,
            learners=config.learners,
            learners_next=config.learners_next,
            auto_leave=False,
            progress={member: one.copy() for member, one in self.tracker.progress.items()},
            tracker=self.tracker,
            last_index=self.last_index,
        )


@define(kw_only=True)
class _Draft:
    """A configuration while it is being changed."""

    incoming: tuple[int, ...]
    outgoing: tuple[int, ...]
    learners: tuple[int, ...]
    learners_next: tuple[int, ...]
    auto_leave: bool
    progress: dict[int, Progress]
    tracker: ProgressTracker
    last_index: int

    def apply(self, changes: Sequence[ConfChangeSingle]) -> None:
        """Make each change in turn; one of member 0 was refused by the application and does nothing."""
        for change in changes:
            if change.node_id == 0:
                continue
            if change.type is ConfChangeType.ADD_NODE:
                self._make_voter(change.node_id)
            elif change.type is ConfChangeType.ADD_LEARNER_NODE:
                self._make_learner(change.node_id)
            elif change.type is ConfChangeType.REMOVE_NODE:
                self._remove(change.node_id)
        if not self.incoming:
            raise ConfChangeError("removed all voters")

    def _make_voter(self, member: int) -> None:
        self.incoming = _with(self.incoming, member)
        self.learners = _without(self.learners, member)
        self.learners_next = _without(self.learners_next, member)
        if member in self.progress:
            self.progress[member].is_learner = False
        else:
            self._start(member, is_learner=False)

    def _make_learner(self, member: int) -> None:
        progress = self.progress.get(member)
        if progress is None:
            self.learners = _with(self.learners, member)
            self._start(member, is_learner=True)
            return
        if progress.is_learner:
            return
        self._remove(member)
        self.progress[member] = progress
        if member in self.outgoing:
            self.learners_next = _with(self.learners_next, member)
        else:
            progress.is_learner = True
            self.learners = _with(self.learners, member)

    def _remove(self, member: int) -> None:
        if member not in self.progress:
            return
        self.incoming = _without(self.incoming, member)
        self.learners = _without(self.learners, member)
        self.learners_next = _without(self.learners_next, member)
        if member not in self.outgoing:
            del self.progress[member]

    def _start(self, member: int, *, is_learner: bool) -> None:
        """Track a new member; it counts as active, or check-quorum could depose us before it has spoken."""
        self.progress[member] = self.tracker.new_progress(
            next_index=max(self.last_index, 1), is_learner=is_learner
        )

    def leave(self) -> None:
        """From two halves to the incoming one."""
        for member in self.learners_next:
            self.progress[member].is_learner = True
            self.learners = _with(self.learners, member)
        self.learners_next = ()
        for member in self.outgoing:
            if member not in self.incoming and member not in self.learners:
                del self.progress[member]
        self.outgoing = ()

    def finish(self) -> Changed:
        """The changed configuration, checked."""
        config = TrackerConfig(
            voters=JointVoters(incoming=self.incoming, outgoing=self.outgoing),
            learners=self.learners,
            learners_next=self.learners_next,
            auto_leave=self.auto_leave,
        )
        check_configuration(config, self.progress)
        return config, self.progress


def check_configuration(config: TrackerConfig, progress: dict[int, Progress]) -> None:
    """What every configuration keeps to: nobody untracked, nobody voter and learner, nothing staged for nothing.

    A `ModelBug` when not: no list of changes may lead there.
    """
    voters = config.voters
    for member in (*voters.ids, *config.learners, *config.learners_next):
        if member not in progress:
            raise ModelBug(f"no progress for {member} in {config}")
    for member in config.learners_next:
        if member not in voters.outgoing:
            raise ModelBug(f"{member} is in LearnersNext, but not Voters[1]: {config}")
        if progress[member].is_learner:
            raise ModelBug(f"{member} is in LearnersNext, but is already marked as learner: {config}")
    for member in config.learners:
        if member in voters:
            raise ModelBug(f"{member} is a learner and a voter: {config}")
        if not progress[member].is_learner:
            raise ModelBug(f"{member} is in Learners, but is not marked as learner: {config}")
    if config.auto_leave and not voters.is_joint:
        raise ModelBug(f"AutoLeave must be false when not joint: {config}")


def restore(changer: Changer, conf_state: ConfState) -> Changed:
    """The configuration of `conf_state`, made by changes from the empty one that `changer` must hold.

    A joint configuration is rebuilt as it came about: first the outgoing voters one by one, then the step
    into the joint configuration that replaces them all.
    """
    incoming = [
        *_changes(ConfChangeType.ADD_NODE, conf_state.voters),
        *_changes(ConfChangeType.ADD_LEARNER_NODE, conf_state.learners),
        *_changes(ConfChangeType.ADD_LEARNER_NODE, conf_state.learners_next),
    ]
    if not conf_state.voters_outgoing:
        return _one_by_one(changer, incoming)
    config, progress = _one_by_one(changer, _changes(ConfChangeType.ADD_NODE, conf_state.voters_outgoing))
    removed = _changes(ConfChangeType.REMOVE_NODE, conf_state.voters_outgoing)
    return _on(changer, config, progress).enter_joint([*removed, *incoming], auto_leave=conf_state.auto_leave)


def _changes(kind: ConfChangeType, members: Sequence[int]) -> list[ConfChangeSingle]:
    return [ConfChangeSingle(type=kind, node_id=member) for member in members]


def _one_by_one(changer: Changer, changes: Sequence[ConfChangeSingle]) -> Changed:
    config, progress = changer.tracker.config, changer.tracker.progress
    for change in changes:
        config, progress = _on(changer, config, progress).simple([change])
    return config, progress


def _on(changer: Changer, config: TrackerConfig, progress: dict[int, Progress]) -> Changer:
    """The same changer, on another configuration."""
    tracker = ProgressTracker(
        config=config,
        progress=progress,
        max_inflight=changer.tracker.max_inflight,
        max_inflight_bytes=changer.tracker.max_inflight_bytes,
    )
    return Changer(tracker=tracker, last_index=changer.last_index)


def _with(members: tuple[int, ...], member: int) -> tuple[int, ...]:
    return members if member in members else tuple(sorted((*members, member)))


def _without(members: tuple[int, ...], member: int) -> tuple[int, ...]:
    return tuple(one for one in members if one != member)
