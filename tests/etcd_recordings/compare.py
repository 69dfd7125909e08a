"""Holds what ours answered against what was recorded, field by field.

What is not compared is named here, once, with its reason. Everything else must be the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Final

from tests.golden.recording import EtcdCall, Recording, StreamMessage
from tests.golden.trees import Json, Tree, as_tree, items

from .names import Side
from .player import Answered, Played

_STATUS: Final = "/v3/maintenance/status"
_OTHER_ENTRIES: Final = "the real one logs its attributes and the cluster's version as well"
_PAGES: Final = "the real one counts the pages of its file, ours the bytes in use"
_ADDRESSES: Final = "addresses of that machine; ours are known by the names of their processes"
NOT_COMPARED: Final = {
    ("", "cluster_id"): "a hash of how the cluster was started",
    ("", "clientURLs"): _ADDRESSES,
    ("", "peerURLs"): _ADDRESSES,
    **{(f"/v3/cluster/member/{what}", "name"): _ADDRESSES for what in ("add", "list", "promote", "remove")},
    (_STATUS, "version"): "the version of the program",
    (_STATUS, "storageVersion"): "the version of the file format",
    (_STATUS, "dbSize"): _PAGES,
    (_STATUS, "dbSizeInUse"): _PAGES,
    (_STATUS, "dbSizeQuota"): "how the program was configured",
    (_STATUS, "downgradeInfo"): "downgrades are not modelled",
    (_STATUS, "raftIndex"): _OTHER_ENTRIES,
    (_STATUS, "raftAppliedIndex"): _OTHER_ENTRIES,
}
"""Fields of the answers of a path ("": of any), each with the reason why it isn't compared."""
UNORDERED: Final = {
    "keys": "the real one walks a Go map",
    "members": "the real one sorts by its members' numbers, which are hashes",
}
"""Lists of which only the content is compared."""
RACES: Final = {
    "etcd-cluster-follower-lags": "how many entries a thawed follower applies between two sends",
    "etcd-watch-order-under-load": "how far the writers are when the late watch is caught up with",
}
"""Recordings in which messages of watches are cut where the machine happened to be; their events are compared."""
TOOK_SECONDS: Final = 0.3
"""How far apart two waits may be that are longer than it; shorter ones are the machine's own."""


def differences(recording: Recording, played: Played) -> list[str]:
    """Every difference in words, calls first; none means the same."""
    found: list[str] = []
    for place, step in enumerate(played.steps):
        if isinstance(step.deed, EtcdCall) and step.deed.label != "unrecorded":
            found += _call_differences(step.deed, played.answers.get(place), played)
    for label, ours in played.messages.items():
        theirs = _recorded_messages(recording, label)
        if recording.name in RACES:
            theirs, ours = [_in_one(theirs)], [_in_one(ours)]
        found += _stream_differences(label, theirs, ours, played)
    return found


def _call_differences(call: EtcdCall, ours: Answered | None, played: Played) -> list[str]:
    where = f"{call.t:.3f} {call.path} {str(dict(call.request))[:80]}"
    if ours is None:
        return [f"{where}: never answered"]
    if call.status is None or ours.status is None:
        same = call.status is ours.status is None
        return [] if same else [f"{where}: {call.status} {call.response}, ours {ours.status} {ours.body}"]
    found = []
    if call.status != ours.status:
        found.append(f"{where}: status {call.status}, ours {ours.status} {ours.body}")
    left = comparable(call.response, played.names.recorded, call.path)
    right = comparable(ours.body, played.names.ours, call.path)
    found += [f"{where}: {one}" for one in tree_differences(left, right)]
    if max(call.took, ours.took) > TOOK_SECONDS and abs(call.took - ours.took) > TOOK_SECONDS:
        found.append(f"{where}: took {call.took:.3f} s, ours {ours.took:.3f} s")
    return found


def _recorded_messages(recording: Recording, label: str) -> list[Tree]:
    return [one.message for one in recording.records if isinstance(one, StreamMessage) and one.label == label]


def _stream_differences(label: str, recorded: list[Tree], ours: list[Tree], played: Played) -> list[str]:
    found: list[str] = []
    for place, (theirs, mine) in enumerate(zip_longest(recorded, ours)):
        if theirs is None or mine is None:
            found.append(f"stream {label}: message {place} is {_short(theirs)}, ours {_short(mine)}")
            continue
        left = _without_term(comparable(theirs, played.names.recorded, "/v3/watch"))
        right = _without_term(comparable(mine, played.names.ours, "/v3/watch"))
        found += [f"stream {label}, message {place}: {one}" for one in tree_differences(left, right)]
    return found


def _without_term(message: Json) -> Json:
    """Our streams don't say in which term and by which member a message was sent."""
    result = as_tree(as_tree(message).get("result"))
    header = {
        key: value
        for key, value in as_tree(result.get("header")).items()
        if key not in ("raft_term", "member_id")
    }
    return {"result": {**result, "header": header}}


def _in_one(messages: list[Tree]) -> Tree:
    """All messages of a stream as one, without the revisions of their headers."""
    events = [event for message in messages for event in items(message, "result", "events")]
    return {"result": {"messages": bool(messages), "events": list(events)}}


def comparable(tree: Json, side: Side, path: str = "") -> Json:
    """The tree with common names, without what is not compared."""
    return _stripped(side.named(tree), path)


def _stripped(tree: Json, path: str) -> Json:
    if isinstance(tree, list):
        return [_stripped(one, path) for one in tree]
    if not isinstance(tree, Mapping):
        return tree
    return {
        key: _sorted(_stripped(value, path)) if key in UNORDERED else _stripped(value, path)
        for key, value in tree.items()
        if ("", key) not in NOT_COMPARED and (path, key) not in NOT_COMPARED
    }


def _sorted(found: Json) -> Json:
    return sorted(found, key=str) if isinstance(found, list) else found


def tree_differences(left: Json, right: Json, path: str = "") -> Iterator[str]:
    """Where two trees differ."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in sorted({*left, *right}):
            yield from tree_differences(left.get(key), right.get(key), f"{path}.{key}")
    elif isinstance(left, list) and isinstance(right, list):
        for place, (one, other) in enumerate(zip_longest(left, right)):
            yield from tree_differences(one, other, f"{path}[{place}]")
    elif left != right:
        yield f"{path} is {_short(left)}, ours {_short(right)}"


def _short(value: Json) -> str:
    text = str(value)
    return text if len(text) <= 300 else f"{text[:300]}..."
