"""Equal volumes may stand for each other, others may not."""

from __future__ import annotations

from pathlib import Path

import attrs

from .history import as_run
from .recording import Recording, Watched, read_recording, replaced
from .trees import Json, mapping, text
from .volumes import CLAIM, VOLUME, parts, told_as

RECORDED = read_recording(Path(__file__).parent / "recordings" / "sts-volume-claims.jsonl.gz")
SWAPPED = {"oracle-pv-0": "oracle-pv-2", "oracle-pv-2": "oracle-pv-0"}


def _otherwise(size: str = "1Gi") -> Recording:
    """The recording as if its two claims had got each other's volume, and oracle-pv-2 had that size."""

    def changed(record: Watched) -> Watched:
        spec: dict[str, Json] = dict(mapping(record.object, "spec"))
        if record.kind == CLAIM and "volumeName" in spec:
            spec["volumeName"] = SWAPPED.get(text(spec, "volumeName"), "")
        if record.kind == VOLUME and record.name == "oracle-pv-2":
            spec["capacity"] = {"storage": size}
        return attrs.evolve(record, object={**record.object, "spec": spec})

    records = [changed(one) if isinstance(one, Watched) else one for one in RECORDED.records]
    return replaced(RECORDED, records)


def test_a_volume_is_known_by_the_claim_that_it_carries() -> None:
    """Which of equal volumes a claim gets, the real binder leaves to the order of a Go map."""
    chosen = parts(as_run(RECORDED), as_run(_otherwise()))

    assert chosen == {**SWAPPED, "oracle-pv-1": "oracle-pv-1"}
    told = as_run(told_as(_otherwise(), chosen))
    carried = {claim.name: text(claim.last, "spec", "volumeName") for claim in told.of_kind(CLAIM)}
    assert carried == {"data-db-0": "oracle-pv-0", "data-db-1": "oracle-pv-2"}


def test_volumes_that_differ_stand_for_nothing_but_themselves() -> None:
    """A larger volume in the place of a smaller one is a difference."""
    assert parts(as_run(RECORDED), as_run(_otherwise("5Gi"))) == {}
    assert parts(as_run(RECORDED), as_run(RECORDED)) == {}
