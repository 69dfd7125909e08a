"""Prints what a Raft member says, holds and wants done, exactly as etcd's scripts do.

Etcd-io/raft util.go (`DescribeX`) and raftpb/confchange.go. Payloads are bytes here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from chaoskube.models.raft.messages import (
    LOCAL_APPEND_THREAD,
    LOCAL_APPLY_THREAD,
    NONE,
    ConfChange,
    ConfChangeV2,
    ConfState,
    Entry,
    HardState,
    Message,
    Snapshot,
)
from chaoskube.models.raft.progress import Progress
from chaoskube.models.raft.ready import Ready

from .changes import text_of

_TARGETS = {NONE: "None", LOCAL_APPEND_THREAD: "AppendThread", LOCAL_APPLY_THREAD: "ApplyThread"}


def ready_text(ready: Ready) -> str:
    """A whole Ready, part by part."""
    text = ""
    if ready.soft_state is not None:
        text += f"Lead:{ready.soft_state.lead} State:{ready.soft_state.role.value}\n"
    if ready.hard_state is not None:
        text += f"HardState {hard_state_text(ready.hard_state)}\n"
    if ready.read_states:
        text += f"ReadStates {' '.join(str(state) for state in ready.read_states)}\n"
    if ready.entries:
        text += "Entries:\n" + entries_text(ready.entries)
    if ready.snapshot is not None:
        text += f"Snapshot {snapshot_text(ready.snapshot)}\n"
    if ready.committed_entries:
        text += "CommittedEntries:\n" + entries_text(ready.committed_entries)
    messages = outgoing(ready)
    if messages:
        text += "Messages:\n" + "".join(f"{message_text(message)}\n" for message in messages)
    return f"Ready MustSync={_bool(ready.must_sync)}:\n{text}" if text else "<empty Ready>"


def outgoing(ready: Ready) -> tuple[Message, ...]:
    """What leaves the member: those that wait for the disk after the others, those to itself not at all."""
    held_back = tuple(message for message in ready.messages_after_append if message.to != message.from_)
    return ready.messages + held_back


def hard_state_text(state: HardState) -> str:
    """`Term:1 Vote:2 Commit:3`, without the vote when there is none."""
    vote = f" Vote:{state.vote}" if state.vote else ""
    return f"Term:{state.term}{vote} Commit:{state.commit}"


def snapshot_text(snapshot: Snapshot) -> str:
    """Where it stands and the configuration there."""
    metadata = snapshot.metadata
    return f"Index:{metadata.index} Term:{metadata.term} ConfState:{_conf_state_text(metadata.conf_state)}"


def _conf_state_text(state: ConfState) -> str:
    groups = {
        "Voters": state.voters,
        "VotersOutgoing": state.voters_outgoing,
        "Learners": state.learners,
        "LearnersNext": state.learners_next,
    }
    text = " ".join(f"{name}:[{' '.join(str(one) for one in ids)}]" for name, ids in groups.items())
    return f"{text} AutoLeave:{_bool(state.auto_leave)}"


def entries_text(entries: Iterable[Entry]) -> str:
    """A line for each."""
    return "".join(f"{entry_text(entry)}\n" for entry in entries)


def entry_text(entry: Entry) -> str:
    """`term/index kind payload`."""
    payload = _payload_text(entry.data)
    if entry.data is None and entry.type.label == "EntryNormal":
        payload = '""'
    return f"{entry.term}/{entry.index} {entry.type.label}{' ' if payload else ''}{payload}"


def _payload_text(data: object) -> str:
    match data:
        case None:
            return ""
        case ConfChange() | ConfChangeV2():
            return text_of(data.as_v2().changes)
        case bytes():
            return json.dumps(data.decode())
        case _:
            raise TypeError(f"a script never proposes {data!r}")


def message_text(message: Message, indent: str = "") -> str:
    """One message; entries, a snapshot and responses on lines of their own."""
    text = (
        f"{indent}{_target(message.from_)}->{_target(message.to)} {message.type.label}"
        f" Term:{message.term} Log:{message.log_term}/{message.index}"
    )
    if message.reject:
        text += f" Rejected (Hint: {message.reject_hint})"
    if message.commit:
        text += f" Commit:{message.commit}"
    if message.vote:
        text += f" Vote:{message.vote}"
    if len(message.entries) == 1:
        text += f" Entries:[{entry_text(message.entries[0])}]"
    elif message.entries:
        lines = "".join(f"\n{indent}  {entry_text(entry)}" for entry in message.entries)
        text += f" Entries:[{lines}\n{indent}]"
    if message.snapshot is not None and message.snapshot.metadata.index:
        text += f"\n{indent}  Snapshot: {snapshot_text(message.snapshot)}"
    if message.responses:
        lines = "".join(f"\n{message_text(response, indent + '  ')}" for response in message.responses)
        text += f" Responses:[{lines}\n{indent}]"
    return text


def _target(member: int) -> str:
    return _TARGETS.get(member, f"{member:x}")


def table_text(progress: Mapping[int, Progress]) -> str:
    """Everybody's progress, a line a member."""
    return "".join(f"{member}: {progress[member]}\n" for member in sorted(progress))


def _bool(value: bool) -> str:
    return "true" if value else "false"
