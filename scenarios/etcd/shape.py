"""How the cluster of an etcd scenario is made: plain data of the setup, and what each world draws where it says so.

`either` and `any` let each world choose, from a stream of its own: most clusters are as etcd makes them, some have
what hides less. What is drawn is told in the story's assumptions, and the minimiser replaces a draw by a word.

- members: 1 to 7, or any (three mostly; even numbers too).
- pre_vote: etcd's flag, on by default since 3.5; either: one world in three has it, because it hides some mistakes in
  elections nearly always.
- snapshots: entries between two snapshots; etcd's default of 10,000 is never reached in a story, so either: a few dozen
  in one world of two, and a fifth of that kept for members that are a little behind.
- reads: safe, or lease (linearizable reads on the leader's word, which a clock or a pause breaks: not by default).
- message_bytes: how much one append carries, and how much is applied at one time; etcd's own 1 MiB is never reached in
  a story, so either: a few entries, or only one, in one world of four.
- watch_buffer: how many responses wait for a slow watcher, and at most so many are under way to it (etcd's are 128, and
  what a window of HTTP/2 holds, and so it is where a setup doesn't name it); either: one to four in one world of two.
- checkpoints: seconds between notes of how long leases have; 0 for none, as etcd has it.
- commit_ms: how often a database is committed (etcd's flag --backend-batch-interval, 100 ms where it is not set); either: a
  second in one world of four.
- compact_ms: how often a client compacts, at a revision that may be the newest or yet to come, as etcd's robustness suite
  does every 100 to 200 ms; 0 for never; either: never in three worlds of four.
- apart_ms: how long a message takes from member to member, one way; 0 for members in one room. either: 40 ms, members in three
  regions, in one world of four: what is a moment elsewhere takes a while then.
- far_ms: how much farther away the last member is than the others are from each other, as where a third site only has to break
  ties; 0 for no farther: it always is a little behind then, wherever the leader is.
- sync_ms: how long a disk takes to make sure that what was written stays, 2 ms as a solid-state disk's; either: 50 ms, as of spinning ones
  that others use, too, in one world of four: messages overtake what waits for a disk then.
- traffic: of clients of registers, as that suite has it: mixed (reads, writes, swaps), puts, reads or deletes (half puts,
  half linearizable reads or deletions), these three thrice as often; either: mixed in one world of two.

Used by `cluster.py`; `simpler` by every etcd scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from attrs import frozen

from chaoskube.models.etcd.membership import MEMBERS_MAX
from chaoskube.models.etcd.options import MAX_SIZE_PER_MSG, ReplicaOptions
from chaoskube.models.etcd.watch import WatchLimits
from chaoskube.scenario import Setup
from chaoskube.sim import MILLISECOND, SECOND, UsageError, World

EITHER = "either"
ANY = "any"
SIZES = (3, 3, 3, 3, 3, 3, 1, 2, 4, 5, 5, 7)
SNAPSHOTS_USUAL = 10_000
WATCH_BUFFER_USUAL = WatchLimits().buffer
COMMIT_MS_USUAL = 100
SYNC_MS_USUAL = 2
MIXED, PUTS, READS, DELETES = "mixed", "puts", "reads", "deletes"
PROGRESS_NS = 5 * SECOND
"""As API servers' etcd is run (etcd's own default is 10 minutes)."""
SETUP: Setup = {
    "members": ANY,
    "pre_vote": EITHER,
    "snapshots": EITHER,
    "message_bytes": EITHER,
    "reads": "safe",
    "checkpoints": 0,
    "commit_ms": EITHER,
    "apart_ms": EITHER,
    "far_ms": 0,
    "sync_ms": EITHER,
}
SIMPLER_WORDS: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("commit_ms", (COMMIT_MS_USUAL, 1000)),
    ("compact_ms", (0, 300)),
    ("traffic", (MIXED, PUTS, READS, DELETES)),
    ("apart_ms", (0, 40)),
    ("sync_ms", (SYNC_MS_USUAL, 50)),
)
"""What the minimiser puts for a draw."""


@frozen(kw_only=True)
class EtcdShape:
    """What a setup says of a cluster, with every draw made."""

    members: int
    pre_vote: bool
    snapshots: int
    message_bytes: int
    watch_buffer: int
    reads: str
    checkpoints: int
    commit_ms: int
    compact_ms: int
    apart_ms: int
    far_ms: int
    sync_ms: int
    traffic: str

    @property
    def options(self) -> ReplicaOptions:
        """The members' flags."""
        return ReplicaOptions(
            pre_vote=self.pre_vote,
            progress_notify_ns=PROGRESS_NS,
            read_only="lease" if self.reads == "lease" else "safe",
            max_size_per_msg=self.message_bytes,
            snapshot_count=self.snapshots,
            catch_up_entries=max(self.snapshots // 5, 1),
            backend_commit_ns=self.commit_ms * MILLISECOND,
            lease_checkpoint_ns=self.checkpoints * SECOND,
            lease_checkpoint_persist=self.checkpoints > 0,
            compaction_batch=10,
            watch_limits=WatchLimits(
                window=min(self.watch_buffer, WatchLimits().window), buffer=self.watch_buffer
            ),
        )

    def assumptions(self) -> tuple[str, ...]:
        """How the members are configured, in words."""
        members = "1 etcd member" if self.members == 1 else f"{self.members} etcd members"
        told = [f"{members}, pre-vote {'on' if self.pre_vote else 'off'}"]
        if self.snapshots != SNAPSHOTS_USUAL:
            told.append(f"a snapshot every {self.snapshots} entries")
        if self.message_bytes != MAX_SIZE_PER_MSG:
            told.append(f"{self.message_bytes} bytes of entries an append")
        if self.watch_buffer != WATCH_BUFFER_USUAL:
            told.append(f"room for {self.watch_buffer} responses to a slow watcher")
        if self.reads == "lease":
            told.append("linearizable reads on the leader's lease")
        if self.checkpoints:
            told.append(f"leases noted every {self.checkpoints} s")
        if self.commit_ms != COMMIT_MS_USUAL:
            told.append(f"a commit of the database every {self.commit_ms} ms")
        if self.compact_ms:
            told.append(f"a compaction every {self.compact_ms} ms")
        if self.apart_ms:
            told.append(f"{self.apart_ms} ms from member to member")
        if self.far_ms:
            told.append(f"the last {self.far_ms} ms farther away")
        if self.sync_ms != SYNC_MS_USUAL:
            told.append(f"disks that sync in {self.sync_ms} ms")
        if self.traffic != MIXED:
            told.append(f"clients that want {self.traffic}")
        return (", ".join(told),)


def shape_of(setup: Setup, world: World, scenario: str) -> EtcdShape:
    """What the setup says, drawn where it leaves a choice; UsageError where it says nothing sensible."""
    _check(setup, scenario)

    def drawn(name: str, word: str, usual: object, draw: Callable[[Random], object]) -> object:
        value = setup.get(name, usual)
        return draw(world.stream(f"{scenario}/{name.replace('_', '-')}")) if value == word else value

    members = drawn("members", ANY, 3, lambda luck: luck.choice(SIZES))
    pre_vote = drawn("pre_vote", EITHER, EITHER, lambda luck: luck.randrange(3) == 0)
    snapshots = drawn("snapshots", EITHER, SNAPSHOTS_USUAL, _draw_snapshots)
    message_bytes = drawn("message_bytes", EITHER, MAX_SIZE_PER_MSG, _draw_message_bytes)
    watch_buffer = drawn("watch_buffer", EITHER, WATCH_BUFFER_USUAL, _draw_watch_buffer)
    commit_ms = drawn("commit_ms", EITHER, COMMIT_MS_USUAL, lambda luck: luck.choice((100, 100, 100, 1000)))
    compact_ms = drawn("compact_ms", EITHER, 0, lambda luck: luck.choice((0, 0, 0, 300)))
    apart_ms = drawn("apart_ms", EITHER, 0, lambda luck: luck.choice((0, 0, 0, 40)))
    sync_ms = drawn("sync_ms", EITHER, SYNC_MS_USUAL, lambda luck: luck.choice((2, 2, 2, 50)))
    traffic = drawn(
        "traffic", EITHER, MIXED, lambda luck: luck.choice((MIXED, MIXED, MIXED, PUTS, READS, DELETES))
    )
    reads, checkpoints = setup.get("reads", "safe"), setup.get("checkpoints", 0)
    far_ms = setup.get("far_ms", 0)
    assert isinstance(members, int) and isinstance(snapshots, int)
    assert isinstance(commit_ms, int) and isinstance(compact_ms, int) and isinstance(apart_ms, int)
    assert isinstance(sync_ms, int) and isinstance(far_ms, int)
    assert isinstance(message_bytes, int) and isinstance(watch_buffer, int) and isinstance(checkpoints, int)
    return EtcdShape(
        members=members,
        pre_vote=bool(pre_vote),
        snapshots=snapshots,
        message_bytes=message_bytes,
        watch_buffer=watch_buffer,
        reads=str(reads),
        checkpoints=checkpoints,
        commit_ms=commit_ms,
        compact_ms=compact_ms,
        apart_ms=apart_ms,
        far_ms=far_ms,
        sync_ms=sync_ms,
        traffic=str(traffic),
    )


def _check(setup: Setup, scenario: str) -> None:
    """UsageError that names the first value that makes no sense, and what would."""
    numbers: dict[str, tuple[int, int, str]] = {
        "members": (1, MEMBERS_MAX, ANY),
        "snapshots": (1, SNAPSHOTS_USUAL, EITHER),
        "message_bytes": (1, MAX_SIZE_PER_MSG, EITHER),
        "watch_buffer": (1, WATCH_BUFFER_USUAL, EITHER),
        "checkpoints": (0, 3600, ""),
        "commit_ms": (1, 60_000, EITHER),
        "compact_ms": (0, 60_000, EITHER),
        "apart_ms": (0, 100, EITHER),
        "far_ms": (0, 100, ""),
        "sync_ms": (SYNC_MS_USUAL, 1000, EITHER),
    }
    words = {"reads": ("safe", "lease"), "traffic": (MIXED, PUTS, READS, DELETES, EITHER)}
    for name, value in setup.items():
        if name in numbers:
            least, most, word = numbers[name]
            is_right = _is_number(value, least, most) or (
                value == word and isinstance(value, str) and word != ""
            )
            wanted = f"a whole number from {least} to {most}{f', or {word}' if word else ''}"
        elif name == "pre_vote":
            is_right, wanted = isinstance(value, bool) or value == EITHER, f"true, false or {EITHER}"
        elif name in words:
            is_right, wanted = value in words[name], f"{', '.join(words[name][:-1])} or {words[name][-1]}"
        else:
            known = ", ".join([*numbers, "pre_vote", *words])
            raise UsageError(f"{scenario} has no {name!r} in its setup; there are {known}")
        if not is_right:
            raise UsageError(f"{scenario}: {name}={value!r} must be {wanted}")


def simpler(setup: Setup) -> Iterable[Setup]:
    """Three members, or fewer; what is drawn is said."""
    members = setup.get("members", 3)
    for size in (3, 1, 2, 4, 5):
        if members == ANY or (isinstance(members, int) and size < members):
            yield {**setup, "members": size}
    if setup.get("pre_vote", EITHER) == EITHER:
        yield {**setup, "pre_vote": True}
        yield {**setup, "pre_vote": False}
    if setup.get("snapshots") == EITHER:
        yield {**setup, "snapshots": SNAPSHOTS_USUAL}
        yield {**setup, "snapshots": 30}
    if setup.get("message_bytes") == EITHER:
        yield {**setup, "message_bytes": MAX_SIZE_PER_MSG}
        yield {**setup, "message_bytes": 1}
    if setup.get("watch_buffer") == EITHER:
        yield {**setup, "watch_buffer": WATCH_BUFFER_USUAL}
        yield {**setup, "watch_buffer": 1}
    if setup.get("far_ms"):
        yield {**setup, "far_ms": 0}
    for name, values in SIMPLER_WORDS:
        if setup.get(name) == EITHER:
            yield from ({**setup, name: value} for value in values)


def _draw_snapshots(luck: Random) -> int:
    return luck.randint(20, 50) if luck.randrange(2) else SNAPSHOTS_USUAL


def _draw_message_bytes(luck: Random) -> int:
    return MAX_SIZE_PER_MSG if luck.randrange(4) else luck.choice((1, 200, 400))


def _draw_watch_buffer(luck: Random) -> int:
    return luck.randint(1, 4) if luck.randrange(2) else WATCH_BUFFER_USUAL


def _is_number(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
