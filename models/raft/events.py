"""What a Raft member writes to the journal: decisions, never messages. Members are named by their process.

Recorded by whoever runs a core (the etcd member); read by `etcd/view.py` for invariants, and by reports.
"""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Voted:
    """This member gave its vote of `term`, and the answer is about to leave."""

    term: int
    candidate: str


@frozen(kw_only=True)
class BecameLeader:
    """This member leads `term` from now on; `first_index` is the place of its first own entry.

    What stands before `first_index` in its log will be everybody's; what stood there elsewhere is lost.
    """

    term: int
    first_index: int


@frozen(kw_only=True)
class SteppedDown:
    """The leader of `led_term` leads no more; `term` is the one it is in now."""

    led_term: int
    term: int


@frozen(kw_only=True)
class ReadConfirmed:
    """This member may answer the reads that it asked about at `asked_at` (world's ns) as soon as it has applied `index`."""

    index: int
    asked_at: int

    def digest_text(self) -> str:
        """Short and cheap: reads are frequent."""
        return f"read index {self.index} asked {self.asked_at}"


@frozen(kw_only=True)
class Committed:
    """This member holds entries from index `first` on to be committed, one (term, content) each.

    `contents` are the numbers of the requests in them, 0 for an empty entry.
    """

    first: int
    terms: tuple[int, ...]
    contents: tuple[int, ...]

    def digest_text(self) -> str:
        """Short and cheap: this is the most frequent event of all."""
        return f"committed {self.first} {self.terms} {self.contents}"


@frozen(kw_only=True)
class TermChanged:
    """`term` is on this member's disk from now on: it may say so, and never goes back.

    Recorded when the hard state with the new term has been synced, before anything that depends on it is sent.
    """

    term: int


@frozen(kw_only=True)
class Appended:
    """Entries from index `first` on are on this member's disk from now on, one (term, content) each.

    Whatever it had at `first` and after is replaced. Recorded when they have been synced, before anybody is told.
    `contents` are the numbers of the requests, as in `Committed`; `changes` the indexes of those that change members.
    """

    first: int
    terms: tuple[int, ...]
    contents: tuple[int, ...]
    changes: tuple[int, ...] = ()

    def digest_text(self) -> str:
        """Short and cheap, as that of `Committed`."""
        return f"appended {self.first} {self.terms} {self.contents}"


@frozen(kw_only=True)
class ConfigApplied:
    """This member applied the configuration change at `index`; the cluster is made of these processes for it.

    `voters_outgoing` is the old half of a joint configuration, and empty outside of one. Recorded at boot as well,
    with what the disk says (index 0 for the members that a cluster is made of).
    """

    index: int
    voters: tuple[str, ...]
    voters_outgoing: tuple[str, ...] = ()
    learners: tuple[str, ...] = ()
