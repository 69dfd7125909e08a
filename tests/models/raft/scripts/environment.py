"""Plays scripts about members: several of our cores, and one list of the messages in flight between them.

Commands and what they print are those of etcd-io/raft rafttest/interaction_env_handler*.go; the library's log
lines are not. `answer` finds the method by the name of the command: `tick-election` is `_tick_election`.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Sequence

from chaoskube.models.raft.messages import (
    LOCAL_APPEND_THREAD,
    LOCAL_APPLY_THREAD,
    ConfChange,
    ConfChangeTransition,
    ConfChangeV2,
    ConfState,
    Message,
    MessageType,
    Snapshot,
    SnapshotMetadata,
)
from chaoskube.models.raft.ready import Config, ReadOnlyOption, Role

from .changes import BadChange, changes_from
from .node import Node
from .output import Output, UnknownLevel
from .picture import entries_text, message_text, table_text
from .script import Directive
from .storage import StorageError

_NO_BOUND = 2**62
_COMMANDS = [
    "add-nodes",
    "campaign",
    "compact",
    "deliver-msgs",
    "forget-leader",
    "log-level",
    "process-append-thread",
    "process-apply-thread",
    "process-ready",
    "propose",
    "propose-conf-change",
    "raft-log",
    "raft-state",
    "report-unreachable",
    "send-snapshot",
    "set-randomized-election-timeout",
    "stabilize",
    "status",
    "tick-election",
    "tick-heartbeat",
    "transfer-leadership",
]
_TRANSITIONS = {
    "auto": ConfChangeTransition.AUTO,
    "implicit": ConfChangeTransition.JOINT_IMPLICIT,
    "explicit": ConfChangeTransition.JOINT_EXPLICIT,
}
_READ_ONLY = {"safe": ReadOnlyOption.SAFE, "lease-based": ReadOnlyOption.LEASE_BASED}
_KINDS = {kind.label: kind for kind in MessageType}


class Refusal(Exception):
    """A command ends with this text, after what it has printed."""


class Environment:
    """Nodes 1, 2, 3.. in order of creation, and what is under way between them."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.flight: list[Message] = []
        self.output = Output()

    def answer(self, directive: Directive) -> str:
        """What the command prints."""
        if directive.name not in _COMMANDS:
            return "unknown command"
        self.output.take()
        try:
            getattr(self, "_" + directive.name.replace("-", "_"))(directive)
        except (Refusal, StorageError, BadChange, UnknownLevel) as problem:
            return self.output.take() + str(problem)
        return self.output.take()

    def _node(self, directive: Directive) -> Node:
        return self.nodes[int(directive.bare()[0]) - 1]

    # -- setting up

    def _add_nodes(self, directive: Directive) -> None:
        conf_state = ConfState(
            voters=tuple(int(one) for one in directive.values("voters")),
            learners=tuple(int(one) for one in directive.values("learners")),
        )
        index = int(directive.value("index", "0"))
        content = directive.value("content", "").encode()
        snapshot = None
        if conf_state != ConfState() or index or content:
            if index <= 1:
                raise Refusal("index must be specified as > 1 due to bootstrap")
            metadata = SnapshotMetadata(conf_state=conf_state, index=index, term=1)
            snapshot = Snapshot(metadata=metadata, data=content)
        for _ in range(directive.numbers()[0]):
            self.nodes.append(Node(_config(len(self.nodes) + 1, directive), snapshot))

    def _log_level(self, directive: Directive) -> None:
        self.output.set_level(directive.bare()[0])

    def _set_randomized_election_timeout(self, directive: Directive) -> None:
        self._node(directive).raft.randomized_election_timeout = int(directive.value("timeout", "0"))

    # -- what a member is asked to do

    def _campaign(self, directive: Directive) -> None:
        self._node(directive).raft.campaign()

    def _tick_heartbeat(self, directive: Directive) -> None:
        self._tick(directive, self._node(directive).config.heartbeat_tick)

    def _tick_election(self, directive: Directive) -> None:
        self._tick(directive, self._node(directive).config.election_tick)

    def _tick(self, directive: Directive, times: int) -> None:
        for _ in range(times):
            self._node(directive).raft.tick()

    def _propose(self, directive: Directive) -> None:
        node = self._node(directive)
        _accepted(node, node.raft.propose(directive.bare()[1].encode()))

    def _propose_conf_change(self, directive: Directive) -> None:
        transition = _TRANSITIONS.get(directive.value("transition", "auto"))
        if transition is None:
            raise Refusal(f"unknown transition {directive.value('transition', '')}")
        changes = changes_from(directive.input)
        change: ConfChange | ConfChangeV2 = ConfChangeV2(transition=transition, changes=changes)
        if directive.value("v1", "false") == "true":
            if len(changes) > 1 or transition is not ConfChangeTransition.AUTO:
                raise Refusal("v1 conf change can only have one operation and no transition")
            change = ConfChange(type=changes[0].type, node_id=changes[0].node_id)
        node = self._node(directive)
        _accepted(node, node.raft.propose_conf_change(change))

    def _transfer_leadership(self, directive: Directive) -> None:
        self.nodes[int(directive.value("from", "")) - 1].raft.transfer_leader(int(directive.value("to", "")))

    def _forget_leader(self, directive: Directive) -> None:
        self._node(directive).raft.forget_leader()

    def _report_unreachable(self, directive: Directive) -> None:
        numbers = directive.numbers()
        if len(numbers) != 2:
            raise Refusal("must specify exactly two node indexes: node on which to report, and reported node")
        self.nodes[numbers[0] - 1].raft.report_unreachable(numbers[1])

    def _send_snapshot(self, directive: Directive) -> None:
        sender, receiver = directive.numbers()
        node = self.nodes[sender - 1]
        message = Message(
            type=MessageType.MSG_SNAP,
            term=node.raft.term,
            from_=sender,
            to=receiver,
            snapshot=node.history[-1],
        )
        self.flight.append(message)
        self.output.write(message_text(message))

    def _compact(self, directive: Directive) -> None:
        index = directive.numbers()[1]
        node = self._node(directive)
        node.storage.compact(index)
        node.raft.compact(index)
        self._raft_log(directive)

    # -- carrying out

    def _process_ready(self, directive: Directive) -> None:
        self._each(directive, "handling Ready", self._ready_of)

    def _process_append_thread(self, directive: Directive) -> None:
        self._each(directive, "processing append thread", self._append_of)

    def _process_apply_thread(self, directive: Directive) -> None:
        self._each(directive, "processing apply thread", self._apply_of)

    def _each(self, directive: Directive, heading: str, work: Callable[[int], None]) -> None:
        """Do `work` for the nodes named, under headings when there are several."""
        numbers = directive.numbers()
        for number in numbers:
            several = len(numbers) > 1
            with self.output.under(f"{number} {heading}") if several else contextlib.nullcontext():
                work(number)

    def _ready_of(self, number: int) -> None:
        self.flight.extend(self.nodes[number - 1].process_ready(self.output))

    def _append_of(self, number: int) -> None:
        self.flight.extend(self.nodes[number - 1].process_append(self.output))

    def _apply_of(self, number: int) -> None:
        self.flight.extend(self.nodes[number - 1].process_apply(self.output))

    def _deliver_msgs(self, directive: Directive) -> None:
        name = directive.value("type", "")
        kind = _KINDS[name] if name else None
        handled = 0
        for argument in directive.arguments:
            if not argument.values:
                handled += self._deliver(int(argument.key), kind)
            elif argument.key == "drop":
                handled += sum(self._drop(int(number), kind) for number in argument.values)
        if not handled:
            self.output.write("no messages\n")

    def _deliver(self, number: int, kind: MessageType | None) -> int:
        messages = self._waiting(number, kind)
        self._take_out(messages)
        raft = self.nodes[number - 1].raft if messages else None
        for message in messages:
            assert raft is not None
            self.output.write(f"{message_text(message)}\n")
            if not raft.step(message):
                self.output.write(f"{raft.dropped}\n")
        return len(messages)

    def _drop(self, number: int, kind: MessageType | None) -> int:
        messages = [message for message in self._waiting(number, kind) if not _is_local(message)]
        self._take_out(messages)
        for message in messages:
            self.output.write(f"dropped: {message_text(message)}\n")
        return len(messages)

    def _waiting(self, number: int, kind: MessageType | None) -> list[Message]:
        return [one for one in self.flight if one.to == number and (kind is None or one.type is kind)]

    def _take_out(self, messages: Sequence[Message]) -> None:
        taken = {id(message) for message in messages}
        self.flight = [message for message in self.flight if id(message) not in taken]

    def _stabilize(self, directive: Directive) -> None:
        numbers = directive.numbers() or tuple(range(1, len(self.nodes) + 1))
        level = self.output.level
        self.output.set_level(directive.value("log-level", level))
        try:
            while self._round(numbers):
                pass
        finally:
            self.output.level = level

    def _round(self, numbers: Sequence[int]) -> bool:
        """Everybody's Ready, then messages, writes and applying; False when there was nothing to do."""
        is_busy = False
        for number in numbers:
            if self.nodes[number - 1].raft.has_ready():
                is_busy = True
                with self.output.under(f"{number} handling Ready"):
                    self._ready_of(number)
        for number in numbers:
            if self._waiting(number, None):
                is_busy = True
                with self.output.under(f"{number} receiving messages"):
                    self._deliver(number, None)
        for number in numbers:
            is_busy |= self._drain(number, "append", self.nodes[number - 1].append_work, self._append_of)
        for number in numbers:
            is_busy |= self._drain(number, "apply", self.nodes[number - 1].apply_work, self._apply_of)
        return is_busy

    def _drain(self, number: int, thread: str, work: deque[Message], do: Callable[[int], None]) -> bool:
        if not work:
            return False
        with self.output.under(f"{number} processing {thread} thread"):
            while work:
                do(number)
        return True

    # -- looking

    def _raft_log(self, directive: Directive) -> None:
        storage = self._node(directive).storage
        if storage.entries:
            self.output.write(entries_text(storage.entries))
        else:
            first, last = storage.first_index, storage.last_index
            self.output.write(f"log is empty: first index={first}, last index={last}")

    def _raft_state(self, directive: Directive) -> None:
        for node in self.nodes:
            raft = node.raft
            votes = "(Voter)" if raft.id in raft.tracker.config.voters else "(Non-Voter)"
            self.output.write(f"{raft.id}: {raft.role.value} {votes} Term:{raft.term} Lead:{raft.lead}\n")

    def _status(self, directive: Directive) -> None:
        raft = self._node(directive).raft
        if raft.role is Role.LEADER:
            self.output.write(table_text(raft.tracker.progress))


def _config(number: int, directive: Directive) -> Config:
    """What the words of `add-nodes` say; scripts have an election timeout of three ticks and no limits."""

    def flag(key: str) -> bool:
        return directive.value(key, "false") == "true"

    return Config(
        id=number,
        election_tick=3,
        heartbeat_tick=1,
        pre_vote=flag("prevote"),
        check_quorum=flag("checkquorum"),
        max_size_per_msg=_NO_BOUND,
        max_committed_size_per_ready=int(directive.value("max-committed-size-per-ready", str(_NO_BOUND))),
        max_inflight_msgs=int(directive.value("inflight", str(_NO_BOUND))),
        async_storage_writes=flag("async-storage-writes"),
        read_only_option=_READ_ONLY[directive.value("read-only", "safe")],
        disable_conf_change_validation=flag("disable-conf-change-validation"),
        step_down_on_removal=flag("step-down-on-removal"),
        seed=number,
    )


def _accepted(node: Node, accepted: bool) -> None:
    if not accepted:
        raise Refusal(node.raft.dropped)


def _is_local(message: Message) -> bool:
    """Between a member and its own storage: never lost."""
    local = (LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD)
    return message.from_ == message.to or message.from_ in local or message.to in local
