"""What a member may not be configured to be."""

from __future__ import annotations

import pytest

from chaoskube.models.raft.messages import LOCAL_APPLY_THREAD
from chaoskube.models.raft.ready import Config, ReadOnlyOption
from chaoskube.sim import UsageError


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"id": 0}, "cannot use none as id"),
        ({"id": LOCAL_APPLY_THREAD}, "cannot use local target as id"),
        ({"heartbeat_tick": 0}, "heartbeat tick must be greater than 0"),
        ({"election_tick": 1}, "election tick must be greater than heartbeat tick"),
        ({"max_inflight_msgs": 0}, "max inflight messages must be greater than 0"),
        ({"max_inflight_bytes": 5, "max_size_per_msg": 6}, "max inflight bytes must be >= max message size"),
        (
            {"read_only_option": ReadOnlyOption.LEASE_BASED, "check_quorum": False},
            "CheckQuorum must be enabled when ReadOnlyOption is ReadOnlyLeaseBased",
        ),
    ],
)
def test_a_configuration_that_etcd_refuses_is_refused_in_its_words(
    options: dict[str, object], why: str
) -> None:
    """Etcd-io/raft raft.go Config.validate."""
    with pytest.raises(UsageError, match=why):
        Config(**{"id": 1, **options})  # type: ignore[arg-type]  # wrong on purpose
