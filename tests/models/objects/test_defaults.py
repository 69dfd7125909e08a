"""Our defaults give what a real API server gave, for the same objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chaoskube.models.objects import decode, default, encode

DATA = Path(__file__).parent / "data" / "defaulting.jsonl"
PAIRS = [json.loads(line) for line in DATA.read_text().splitlines()]


def without_admission(sent: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without what admission and strategies add after defaulting."""
    for field in ("uid", "resourceVersion", "generation", "creationTimestamp", "namespace"):
        answer["metadata"].pop(field, None)
    spec = answer.get("spec", {})
    if answer["kind"] == "Pod":
        for field in ("tolerations", "priority", "preemptionPolicy"):
            if field not in sent["spec"]:
                spec.pop(field, None)
        answer["status"] = {}
    if answer["kind"] == "Service":
        for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if field not in sent["spec"]:
                spec.pop(field, None)
    if answer["kind"] == "DaemonSet":
        answer["metadata"].pop("annotations", None)
    return answer


@pytest.mark.parametrize(
    "pair", PAIRS, ids=[f"{p['sent']['kind']}-{p['sent']['metadata']['name']}" for p in PAIRS]
)
def test_defaults_equal_the_real_ones(pair: dict[str, Any]) -> None:
    """Recorded from Kubernetes 1.36 (api-defaulting): sent, and answered."""
    expected = without_admission(pair["sent"], pair["answer"])

    assert encode(decode(default(pair["sent"]))) == expected
