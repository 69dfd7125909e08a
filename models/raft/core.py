"""One Raft member as a pure state machine: messages and ticks in, `Ready` out.

The algorithm, its names and its choices are etcd's (etcd-io/raft raft.go, rawnode.go): pre-vote, check-quorum,
progress by follower, conflict hints, leader reads by read index. Nothing here waits, sends, stores, or draws
luck: `draw(n)` is given in and answers with a number below n, for the randomised election timeout.

The caller does, in a loop (the etcd member is the only one besides tests):

    raft.step(message) / raft.tick() / raft.propose(data) / raft.read_index(context)
    while raft.has_ready():
        ready = raft.ready()      # 1. write hard_state and entries; sync when must_sync
                                  # 2. then send messages (a leader may send `messages` before the sync)
                                  # 3. then apply committed_entries, answer read_states
        raft.advance(ready)       # 4. the core hears that it is done, votes for and acknowledges itself

`Ready.messages` promise nothing about our disk. `Ready.messages_after_append` do (votes and acknowledgements),
and must never leave before the sync: that is what makes a crash harmless.

Not modelled: snapshots, membership change, learners, leadership transfer, forget-leader, asynchronous storage
writes, limits on sizes, lease-based reads, quiescence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chaoskube.models.raft.log import RaftLog
from chaoskube.models.raft.messages import NONE, Entry, HardState, Message, MessageType, ReadState
from chaoskube.models.raft.progress import Progress, ProgressState
from chaoskube.models.raft.quorum import VoteResult, committed_index, quorum_size, vote_result
from chaoskube.models.raft.read_only import ReadOnly
from chaoskube.models.raft.ready import FROM_LEADER, HELD_BACK, Config, Ready, Role
from chaoskube.sim import ModelBug, reached


class Raft:
    """One member. Attributes are for reading; change happens through the methods alone."""

    def __init__(
        self,
        config: Config,
        draw: Callable[[int], int],
        *,
        hard_state: HardState | None = None,
        entries: Sequence[Entry] = (),
        applied: int = 0,
    ) -> None:
        if config.id not in config.voters:
            raise ModelBug(f"member {config.id} is not among the voters {config.voters}")
        on_disk = hard_state if hard_state is not None else HardState()
        self.config = config
        self.id = config.id
        self.log = RaftLog(entries=list(entries), stable=len(entries), applied=applied)
        self.log.commit_to(on_disk.commit)
        self.term = on_disk.term
        self.vote = on_disk.vote
        self.lead = NONE
        self.role = Role.FOLLOWER
        self.progress: dict[int, Progress] = {}
        self.votes: dict[int, bool] = {}
        self.election_elapsed = 0
        self.heartbeat_elapsed = 0
        self.randomized_election_timeout = 0
        self._draw = draw
        self._peers = tuple(voter for voter in sorted(config.voters) if voter != config.id)
        self._messages: list[Message] = []
        self._after_append: list[Message] = []
        self._read_states: list[ReadState] = []
        self._read_only = ReadOnly()
        self._early_reads: list[Message] = []
        self._saved = on_disk
        self._is_out = False
        """A Ready is being carried out: the next is not given before `advance`."""
        self._heartbeat_answer: Message | None = None
        self._become_follower(self.term, NONE)

    # -- what goes in

    def tick(self) -> None:
        """A tick of the clock has passed (etcd: 100 ms)."""
        self.election_elapsed += 1
        if self.role is Role.LEADER:
            self._tick_leader()
        elif self.election_elapsed >= self.randomized_election_timeout:
            self.election_elapsed = 0
            self.campaign()

    def propose(self, data: object) -> bool:
        """Ask for `data` to be committed. False when it was dropped: no leader is known."""
        entry = Entry(term=0, index=0, data=data)
        return self.step(Message(type=MessageType.MSG_PROP, from_=self.id, entries=(entry,)))

    def read_index(self, context: object) -> bool:
        """Ask for an index that is safe to read at. False when dropped; an answer may never come."""
        return self.step(Message(type=MessageType.MSG_READ_INDEX, from_=NONE, context=context))

    def campaign(self) -> None:
        """Start an election (MsgHup)."""
        if self.role is not Role.LEADER:
            self._campaign(pre_vote=self.config.pre_vote)

    def step(self, message: Message) -> bool:
        """Take one message. False when a proposal or a read was dropped."""
        if message.term > self.term:
            if not self._meet_higher_term(message):
                return True
        elif 0 < message.term < self.term:
            self._answer_lower_term(message)
            return True
        if message.type is MessageType.MSG_VOTE or message.type is MessageType.MSG_PRE_VOTE:
            self._answer_vote(message)
            return True
        if self.role is Role.FOLLOWER:
            return self._step_follower(message)
        if self.role is Role.LEADER:
            return self._step_leader(message)
        return self._step_candidate(message)

    # -- what comes out

    def has_ready(self) -> bool:
        """Is there anything to carry out now?"""
        return not self._is_out and (bool(self._messages) or self._has_more_than_messages())

    def _has_more_than_messages(self) -> bool:
        log = self.log
        return (
            bool(self._after_append)
            or log.applied < log.committed
            or log.stable < log.last_index
            or bool(self._read_states)
            or self._hard_state_changed()
        )

    def only_messages(self) -> list[Message]:
        """What to send when that is all there is to do (mostly heartbeats); [] when there may be more.

        The short way of `ready` and `advance`; nothing here depends on the disk.
        """
        if not self._messages or self._is_out or self._has_more_than_messages():
            return []
        messages, self._messages = self._messages, []
        return messages

    def ready(self) -> Ready:
        """Everything to carry out; the next one comes after `advance`."""
        self._is_out = True
        hard_state = None
        must_sync = self.log.stable < self.log.last_index
        if self._hard_state_changed():
            hard_state = HardState(term=self.term, vote=self.vote, commit=self.log.committed)
            must_sync = must_sync or self.term != self._saved.term or self.vote != self._saved.vote
        ready = Ready(
            hard_state=hard_state,
            entries=self.log.unstable_entries(),
            must_sync=must_sync,
            messages=tuple(self._messages),
            messages_after_append=tuple(self._after_append),
            committed_entries=self.log.next_committed(),
            read_states=tuple(self._read_states),
        )
        if hard_state is not None:
            self._saved = hard_state
        self._messages.clear()
        self._after_append.clear()
        self._read_states.clear()
        return ready

    def advance(self, ready: Ready) -> None:
        """`ready` has been carried out: its entries are on disk, its committed entries applied."""
        self._is_out = False
        if ready.entries:
            last = ready.entries[-1]
            if self.log.matches(last.index, last.term):
                self.log.stable = max(self.log.stable, last.index)
        if ready.committed_entries:
            self.log.applied = ready.committed_entries[-1].index
        for message in ready.messages_after_append:
            if message.to == self.id:
                self.step(message)

    def _hard_state_changed(self) -> bool:
        saved = self._saved
        return self.term != saved.term or self.vote != saved.vote or self.log.committed != saved.commit

    def _send(
        self,
        kind: MessageType,
        to: int,
        *,
        term: int | None = None,
        log_term: int = 0,
        index: int = 0,
        entries: tuple[Entry, ...] = (),
        commit: int = 0,
        reject: bool = False,
        reject_hint: int = 0,
        context: object = None,
    ) -> None:
        message = Message(
            type=kind,
            to=to,
            from_=self.id,
            term=self.term if term is None else term,
            log_term=log_term,
            index=index,
            entries=entries,
            commit=commit,
            reject=reject,
            reject_hint=reject_hint,
            context=context,
        )
        (self._after_append if kind in HELD_BACK else self._messages).append(message)

    # -- roles

    def _reset(self, term: int) -> None:
        """Begin anew as somebody in `term`. A vote given in this same term stays given."""
        if term != self.term:
            self.term = term
            self.vote = NONE
        self.lead = NONE
        self.election_elapsed = 0
        self.heartbeat_elapsed = 0
        self.randomized_election_timeout = self.config.election_tick + self._draw(self.config.election_tick)
        self.votes.clear()
        self._read_only = ReadOnly()
        self._early_reads.clear()
        self.progress = {}

    def _become_follower(self, term: int, lead: int) -> None:
        self._reset(term)
        self.lead = lead
        self.role = Role.FOLLOWER

    def _become_pre_candidate(self) -> None:
        """Ask who would vote for us; neither term nor vote change."""
        self.votes.clear()
        self.lead = NONE
        self.role = Role.PRE_CANDIDATE

    def _become_candidate(self) -> None:
        self._reset(self.term + 1)
        self.vote = self.id
        self.role = Role.CANDIDATE

    def _become_leader(self) -> None:
        self._reset(self.term)
        self.lead = self.id
        self.role = Role.LEADER
        following = self.log.last_index + 1
        for voter in sorted(self.config.voters):
            self.progress[voter] = Progress(next=following, inflight_max=self.config.inflight_max)
        ours = self.progress[self.id]
        ours.match = following - 1
        ours.become_replicate()
        ours.is_recently_active = True
        self._append((Entry(term=0, index=0),))

    # -- elections

    def _campaign(self, *, pre_vote: bool) -> None:
        if pre_vote:
            self._become_pre_candidate()
            request, answer, term = MessageType.MSG_PRE_VOTE, MessageType.MSG_PRE_VOTE_RESP, self.term + 1
        else:
            self._become_candidate()
            request, answer, term = MessageType.MSG_VOTE, MessageType.MSG_VOTE_RESP, self.term
        for voter in sorted(self.config.voters):
            if voter == self.id:
                self._send(answer, voter, term=term)
            else:
                self._send(request, voter, term=term, index=self.log.last_index, log_term=self.log.last_term)

    def _meet_higher_term(self, message: Message) -> bool:
        """A message from a later term: join it, unless it only asks. False: ignore the message."""
        kind = message.type
        if (kind is MessageType.MSG_VOTE or kind is MessageType.MSG_PRE_VOTE) and self._is_in_lease():
            return False
        if kind is MessageType.MSG_PRE_VOTE:
            return True
        if kind is MessageType.MSG_PRE_VOTE_RESP and not message.reject:
            return True
        self._become_follower(message.term, message.from_ if kind in FROM_LEADER else NONE)
        return True

    def _is_in_lease(self) -> bool:
        """A leader was heard within the shortest election timeout: nobody needs another."""
        return (
            self.config.check_quorum
            and self.lead != NONE
            and self.election_elapsed < self.config.election_tick
        )

    def _answer_lower_term(self, message: Message) -> None:
        if message.type in FROM_LEADER:
            if self.config.check_quorum or self.config.pre_vote:
                # The old leader learns our term from this and steps down.
                self._send(MessageType.MSG_APP_RESP, message.from_)
        elif message.type is MessageType.MSG_PRE_VOTE:
            self._send(MessageType.MSG_PRE_VOTE_RESP, message.from_, reject=True)

    def _answer_vote(self, message: Message) -> None:
        is_real = message.type is MessageType.MSG_VOTE
        answer = MessageType.MSG_VOTE_RESP if is_real else MessageType.MSG_PRE_VOTE_RESP
        if self._can_vote(message) and self.log.is_up_to_date(message.index, message.log_term):
            self._send(answer, message.from_, term=message.term)
            if is_real:
                self.election_elapsed = 0
                self.vote = message.from_
        else:
            self._send(answer, message.from_, reject=True)

    def _can_vote(self, message: Message) -> bool:
        """One vote a term: repeated, or not given yet and no leader known; pre-votes cost nothing."""
        return (
            self.vote == message.from_
            or (self.vote == NONE and self.lead == NONE)
            or (message.type is MessageType.MSG_PRE_VOTE and message.term > self.term)
        )

    def _step_candidate(self, message: Message) -> bool:
        kind = message.type
        is_pre = self.role is Role.PRE_CANDIDATE
        if kind is (MessageType.MSG_PRE_VOTE_RESP if is_pre else MessageType.MSG_VOTE_RESP):
            self.votes.setdefault(message.from_, not message.reject)
            result = vote_result(self.config.voters, self.votes)
            if result is VoteResult.LOST:
                reached("raft: an election was lost")
                self._become_follower(self.term, NONE)
            elif result is VoteResult.WON and is_pre:
                self._campaign(pre_vote=False)
            elif result is VoteResult.WON:
                self._become_leader()
                self._broadcast_append()
        elif kind is MessageType.MSG_APP:
            self._become_follower(message.term, message.from_)
            self._handle_append(message)
        elif kind is MessageType.MSG_HEARTBEAT:
            self._become_follower(message.term, message.from_)
            self._handle_heartbeat(message)
        return kind is not MessageType.MSG_PROP and kind is not MessageType.MSG_READ_INDEX

    # -- following

    def _step_follower(self, message: Message) -> bool:
        kind = message.type
        if kind is MessageType.MSG_HEARTBEAT:
            self._hear_leader(message.from_)
            self._handle_heartbeat(message)
        elif kind is MessageType.MSG_APP:
            self._hear_leader(message.from_)
            self._handle_append(message)
        elif kind is MessageType.MSG_PROP or kind is MessageType.MSG_READ_INDEX:
            if self.lead == NONE:
                return False
            # Forwarded without a term, as etcd does: it counts as local to the leader.
            self._send(kind, self.lead, term=0, entries=message.entries, context=message.context)
        elif kind is MessageType.MSG_READ_INDEX_RESP:
            self._read_states.append(ReadState(index=message.index, context=message.context))
        return True

    def _hear_leader(self, lead: int) -> None:
        """The leader of our term has spoken."""
        self.election_elapsed = 0
        self.lead = lead

    def _handle_append(self, message: Message) -> None:
        log, leader = self.log, message.from_
        if message.index < log.committed:
            self._send(MessageType.MSG_APP_RESP, leader, index=log.committed)
            return
        last = log.maybe_append(message.index, message.log_term, message.entries)
        if last is not None:
            log.commit_to(min(message.commit, last))
            self._send(MessageType.MSG_APP_RESP, leader, index=last)
            return
        reached("raft: an append was refused")
        hint = min(message.index, log.last_index)
        hint, hint_term = log.find_conflict_by_term(hint, message.log_term)
        self._send(
            MessageType.MSG_APP_RESP,
            leader,
            index=message.index,
            reject=True,
            reject_hint=hint,
            log_term=hint_term,
        )

    def _handle_heartbeat(self, message: Message) -> None:
        self.log.commit_to(message.commit)
        answer = self._heartbeat_answer
        if (
            answer is None
            or answer.to != message.from_
            or answer.term != self.term
            or answer.context != message.context
        ):
            # Sent again as the same object while it says the same: heartbeats are most of all messages.
            answer = self._heartbeat_answer = Message(
                type=MessageType.MSG_HEARTBEAT_RESP,
                to=message.from_,
                from_=self.id,
                term=self.term,
                context=message.context,
            )
        self._messages.append(answer)

    # -- leading

    def _tick_leader(self) -> None:
        self.heartbeat_elapsed += 1
        if self.election_elapsed >= self.config.election_tick:
            self.election_elapsed = 0
            if self.config.check_quorum:
                self._check_quorum()
        if self.role is Role.LEADER and self.heartbeat_elapsed >= self.config.heartbeat_tick:
            self.heartbeat_elapsed = 0
            self._broadcast_heartbeat(self._read_only.last_context())

    def _check_quorum(self) -> None:
        """Step down when no majority was heard for an election timeout (MsgCheckQuorum)."""
        active = sum(1 for progress in self.progress.values() if progress.is_recently_active)
        if active < quorum_size(len(self.config.voters)):
            reached("raft: a leader without a quorum stepped down")
            self._become_follower(self.term, NONE)
        for voter, progress in self.progress.items():
            progress.is_recently_active = voter == self.id

    def _step_leader(self, message: Message) -> bool:
        kind = message.type
        if kind is MessageType.MSG_HEARTBEAT_RESP:
            self._handle_heartbeat_answer(message)
        elif kind is MessageType.MSG_APP_RESP:
            self._handle_append_answer(message)
        elif kind is MessageType.MSG_PROP:
            self._append(message.entries)
            self._broadcast_append()
        elif kind is MessageType.MSG_READ_INDEX:
            self._handle_read_index(message)
        elif kind is MessageType.MSG_UNREACHABLE:
            progress = self.progress.get(message.from_)
            if progress is not None and progress.state is ProgressState.REPLICATE:
                progress.become_probe()
        return True

    def _append(self, entries: tuple[Entry, ...]) -> None:
        first = self.log.last_index + 1
        self.log.append(
            [
                Entry(term=self.term, index=first + place, type=entry.type, data=entry.data)
                for place, entry in enumerate(entries)
            ]
        )
        # The leader's own acknowledgement counts once its disk has the entries.
        self._send(MessageType.MSG_APP_RESP, self.id, index=self.log.last_index)

    def _broadcast_append(self) -> None:
        for peer in self._peers:
            self._send_append(peer)

    def _send_append(self, peer: int, *, is_empty_worth_it: bool = True) -> bool:
        """Send what `peer` lacks, if it may be sent to now. False when nothing was sent."""
        progress = self.progress[peer]
        if progress.is_paused:
            return False
        log = self.log
        previous = progress.next - 1
        previous_term = log.term(previous)
        if previous_term is None:
            raise ModelBug(
                f"member {peer} needs entry {previous}, which is compacted: snapshots are not modelled"
            )
        entries: tuple[Entry, ...] = ()
        if progress.state is not ProgressState.REPLICATE or not progress.is_full:
            entries = log.slice(progress.next, log.last_index + 1)
        if not entries and not is_empty_worth_it:
            return False
        self._send(
            MessageType.MSG_APP,
            peer,
            index=previous,
            log_term=previous_term,
            entries=entries,
            commit=log.committed,
        )
        progress.sent_entries(len(entries))
        progress.sent_commit = log.committed
        return True

    def _broadcast_heartbeat(self, context: object) -> None:
        term, committed = self.term, self.log.committed
        for peer in self._peers:
            progress = self.progress[peer]
            commit = min(progress.match, committed)
            message = progress.heartbeat
            if (
                message is None
                or message.commit != commit
                or message.term != term
                or message.context != context
            ):
                message = progress.heartbeat = Message(
                    type=MessageType.MSG_HEARTBEAT,
                    to=peer,
                    from_=self.id,
                    term=term,
                    commit=commit,
                    context=context,
                )
            self._messages.append(message)
            progress.sent_commit = commit

    def _handle_heartbeat_answer(self, message: Message) -> None:
        progress = self.progress[message.from_]
        progress.is_recently_active = True
        progress.is_paused = False
        if progress.match < self.log.last_index or progress.state is ProgressState.PROBE:
            self._send_append(message.from_)
        if message.context is None:
            return
        acknowledged = self._read_only.receive(message.from_, message.context)
        if vote_result(self.config.voters, acknowledged) is VoteResult.WON:
            for confirmed in self._read_only.advance(message.context):
                self._answer_read(confirmed.request, confirmed.index)

    def _handle_append_answer(self, message: Message) -> None:
        peer = message.from_
        progress = self.progress[peer]
        progress.is_recently_active = True
        if message.reject:
            self._step_back(peer, progress, message)
            return
        is_back = progress.match == message.index and progress.state is ProgressState.PROBE
        if not progress.maybe_update(message.index) and not is_back:
            return
        if progress.state is ProgressState.PROBE:
            progress.become_replicate()
        else:
            progress.free_up_to(message.index)
        if self._maybe_commit():
            self._release_early_reads()
            self._broadcast_append()
        elif peer != self.id and progress.can_bump_commit(self.log.committed):
            self._send_append(peer)
        if peer != self.id:
            while self._send_append(peer, is_empty_worth_it=False):
                pass

    def _step_back(self, peer: int, progress: Progress, message: Message) -> None:
        """`peer` refused an append: try further back, skipping terms that can't match."""
        probe = message.reject_hint
        if message.log_term > 0:
            probe, _ = self.log.find_conflict_by_term(message.reject_hint, message.log_term)
        if progress.maybe_decrease_to(message.index, probe):
            if progress.state is ProgressState.REPLICATE:
                progress.become_probe()
            self._send_append(peer)

    def _maybe_commit(self) -> bool:
        """Commit what a majority holds, if it is of our own term (Raft paper, 5.4.2 and figure 8)."""
        index = committed_index([progress.match for progress in self.progress.values()])
        if index <= self.log.committed or not self.log.matches(index, self.term):
            return False
        self.log.commit_to(index)
        return True

    # -- reads

    def _handle_read_index(self, message: Message) -> None:
        if not self._peers:
            self._answer_read(message, self.log.committed)
        elif not self._has_committed_in_term():
            # Until then our commit index may be behind one that an earlier leader answered with.
            reached("raft: a read waited for the leader's first commit")
            self._early_reads.append(message)
        else:
            self._confirm_read(message)

    def _has_committed_in_term(self) -> bool:
        return self.log.matches(self.log.committed, self.term)

    def _confirm_read(self, message: Message) -> None:
        self._read_only.add(self.log.committed, message, self.id)
        self._broadcast_heartbeat(message.context)

    def _release_early_reads(self) -> None:
        if self._early_reads and self._has_committed_in_term():
            early, self._early_reads = self._early_reads, []
            for message in early:
                self._confirm_read(message)

    def _answer_read(self, request: Message, index: int) -> None:
        if request.from_ == NONE or request.from_ == self.id:
            self._read_states.append(ReadState(index=index, context=request.context))
        else:
            self._send(MessageType.MSG_READ_INDEX_RESP, request.from_, index=index, context=request.context)
