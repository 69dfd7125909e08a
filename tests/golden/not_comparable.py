"""What of a recording cannot be compared, once and with its reason. Who calls it: `compare`, `player`.

The README of the recordings says what is free everywhere; this is what is free in some recordings only, because
their faults make it so. A looser rule needs a source in Kubernetes or gRPC, and is given here.
"""

from __future__ import annotations

import re
from typing import Final

from .difference import Difference
from .recording import Control, Recording

HEALTH_PATHS: Final = ("/healthz", "/readyz", "/livez")
"""Their answers list some thirty post-start hooks by name; the simulated server has no such paths."""

_BACKOFF = (
    "requests and watches that wait for etcd go on in the order in which gRPC's jittered backoff lets each of the API "
    "server's connections, one for each resource, come back (grpc-go, internal/backoff): a scale to 5 and one to 4 reach "
    "the controllers seconds apart or both at once, and whether a fifth pod is made and taken back is free; what the "
    "rules say of counts, causes and victims is held"
)
_NO_JOBS = "there is no Job controller yet"
KNOWN: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "control-etcd-killed": (
        (r"^Pod \S+ (has no like|is not in the recording)$", _BACKOFF),
        (r"^(Pod|Deployment) \S+: (phase|condition) .* is (missing|not in the recording)$", _BACKOFF),
        (r"^(Pod|ReplicaSet|Deployment) \S+: (decided|generation|deleting|condition \S+ is) ", _BACKOFF),
        (
            r"^Event (Scheduled|SuccessfulCreate|SuccessfulDelete) of \S+ is (missing|not in the recording)$",
            _BACKOFF,
        ),
    ),
    "api-status-and-generation": ((r"^Job j: condition Suspended ", _NO_JOBS),),
    "control-split-brain-controllers": (
        (r"^pods .*job-name", _NO_JOBS),
        (r"^Job work: ", _NO_JOBS),
    ),
}
"""By recording: patterns of differences that are free, each with the reason."""


def has_two_managers(recording: Recording) -> bool:
    """Whether two controller managers act at once on the same objects, with nothing between them but conflicts.

    Then every count, scale and creation is a race of two loops with caches and expectations of their own
    (controller_utils.go): histories differ from run to run, and each object's end and all answers are what is left.
    """
    return any(
        isinstance(record, Control) and record.component == "second kube-controller-manager"
        for record in recording.records
    )


def without_known(recording: Recording, found: list[Difference]) -> list[Difference]:
    """The differences that nothing excuses."""
    patterns = [re.compile(pattern) for pattern, _ in KNOWN.get(recording.name, ())]
    return [one for one in found if not any(pattern.search(one.what) for pattern in patterns)]
