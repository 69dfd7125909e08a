"""How ours differs from the recorded etcd, recording by recording, each difference with its reason.

A difference that isn't listed fails the test, and so does one that is listed and doesn't occur any more.
"""

from __future__ import annotations

import re
from typing import Final

from tests.golden.recording import Recording

from .compare import differences
from .player import play

KNOWN: Final[dict[str, dict[str, str]]] = {
    "etcd-cluster-leader-paused": {
        r"^3\.016 /v3/kv/range .*serializable.*raft_term is 2, ours 3": (
            "whether a thawed member has heard of the new term by then is a race"
        ),
    },
    "etcd-cluster-member-change": {
        r"member/(add|remove) .* took 0\.00\d s, ours 0\.50\d s": "ours asks who is there; the real one knows",
    },
}
"""Patterns of what `differences` says, each with the reason."""
LUCK: Final = {
    "etcd-cluster-gap-on-kill": "who is elected, and between which two writes",
    "etcd-cluster-leader-paused": "who is elected",
    "etcd-watch-progress": "by how much more than a second, up to a tenth, a stream's interval is longer",
}
"""What was luck in a recording: some of the first `SEEDS_MAX` seeds must have the same, not the first."""
SEEDS_MAX: Final = 60


def surprises(recording: Recording) -> list[str]:
    """Differences that aren't known, and known ones that are gone; [] when ours is as it was recorded."""
    seeds = SEEDS_MAX if recording.name in LUCK else 1
    found: list[str] = []
    for seed in range(seeds):
        found = _surprises(recording, differences(recording, play(recording, seed=seed)))
        if not found:
            break
    return found


def _surprises(recording: Recording, found: list[str]) -> list[str]:
    known = KNOWN.get(recording.name, {})
    new = [one for one in found if not any(re.search(pattern, one) for pattern in known)]
    gone = [pattern for pattern in known if not any(re.search(pattern, one) for one in found)]
    return new + [f"no difference like {pattern!r} any more: take it off the list" for pattern in gone]
