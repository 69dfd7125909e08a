"""One member in a script: a core, its storage, its storage threads, and the snapshots of what it has applied.

Etcd-io/raft rafttest/interaction_env.go (`Node`) and the handlers for ready and storage threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from attrs import evolve

from chaoskube.models.raft.core import Raft
from chaoskube.models.raft.messages import (
    LOCAL_APPEND_THREAD,
    LOCAL_APPLY_THREAD,
    ConfChange,
    ConfChangeV2,
    ConfState,
    Entry,
    EntryType,
    HardState,
    Message,
    MessageType,
    Snapshot,
    SnapshotMetadata,
)
from chaoskube.models.raft.ready import Config

from .output import Output
from .picture import message_text, outgoing, ready_text
from .storage import MemoryStorage


class Node:
    """A member from its first snapshot on; what it sends is taken from what the methods return."""

    def __init__(self, config: Config, snapshot: Snapshot | None) -> None:
        self.config = config
        self.storage = MemoryStorage()
        if snapshot is not None:
            self.storage.apply_snapshot(snapshot)
        self.raft = Raft(config, snapshot=snapshot, applied=self.storage.offset)
        self.append_work: deque[Message] = deque()
        self.apply_work: deque[Message] = deque()
        self.history = [snapshot or Snapshot(data=b"")]

    def process_ready(self, output: Output) -> list[Message]:
        """Carry out one Ready; with asynchronous writes, queue the writing and applying in it."""
        ready = self.raft.ready()
        output.write(ready_text(ready))
        messages = outgoing(ready)
        if not self.config.async_storage_writes:
            self.storage.save(ready.hard_state, ready.entries, ready.snapshot)
            self._apply(ready.committed_entries)
            self.raft.advance(ready)
            return list(messages)
        self.append_work.extend(one for one in messages if one.type is MessageType.MSG_STORAGE_APPEND)
        self.apply_work.extend(one for one in messages if one.type is MessageType.MSG_STORAGE_APPLY)
        return [one for one in messages if one.to not in (LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD)]

    def process_append(self, output: Output) -> list[Message]:
        """Do one piece of writing; what it allows to be sent."""
        if not self.append_work:
            output.write("no append work to perform")
            return []
        work = self.append_work.popleft()
        output.write(f"Processing:\n{message_text(evolve(work, responses=()))}\n")
        hard_state = HardState(term=work.term, vote=work.vote, commit=work.commit)
        self.storage.save(
            None if hard_state == HardState() else hard_state, work.entries, _present(work.snapshot)
        )
        return self._respond(work, output)

    def process_apply(self, output: Output) -> list[Message]:
        """Apply one batch of entries; what it allows to be sent."""
        if not self.apply_work:
            output.write("no apply work to perform")
            return []
        work = self.apply_work.popleft()
        output.write(f"Processing:\n{message_text(evolve(work, responses=()))}\n")
        self._apply(work.entries)
        return self._respond(work, output)

    def _respond(self, work: Message, output: Output) -> list[Message]:
        lines = "".join(f"{message_text(response)}\n" for response in work.responses)
        output.write(f"Responses:\n{lines}")
        return list(work.responses)

    def _apply(self, entries: Iterable[Entry]) -> None:
        """Apply entries one by one, with a snapshot after each."""
        for entry in entries:
            last = self.history[-1]
            conf_state, update = last.metadata.conf_state, entry.data
            if entry.type is not EntryType.ENTRY_NORMAL:
                conf_state, update = self._change(entry)
            assert isinstance(last.data, bytes)
            assert update is None or isinstance(update, bytes)
            metadata = SnapshotMetadata(conf_state=conf_state, index=entry.index, term=entry.term)
            snapshot = Snapshot(metadata=metadata, data=last.data + (update or b""))
            self.history.append(snapshot)
            self.raft.create_snapshot(entry.index, conf_state, snapshot.data)

    def _change(self, entry: Entry) -> tuple[ConfState, object]:
        change = entry.data if entry.data is not None else ConfChangeV2()
        assert isinstance(change, ConfChange | ConfChangeV2)
        return self.raft.apply_conf_change(change), change.context


def _present(snapshot: Snapshot | None) -> Snapshot | None:
    return snapshot if snapshot is not None and snapshot.metadata.index else None
