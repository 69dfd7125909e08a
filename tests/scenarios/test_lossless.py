"""Nothing of a manifest is lost: what the control plane stores says all that the document says."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaoskube.discovery import scenario_of_input
from tests.scenarios.running import documents_of, lost_in_store, missing, running, silent_services

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = sorted(folder.name for folder in (ROOT / "examples").iterdir() if folder.is_dir())
MANIFESTS = ROOT.parent / "shared" / "manifests"
THIRD_PARTY = {
    "online-boutique.yaml": True,
    "voting-app": True,
    "guestbook.yaml": True,
    "guestbook-rc": False,
    "cassandra": False,
    "ingress-nginx.yaml": False,
}
"""Whether everything that makes pods of it is modelled, so that its Services must answer."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_stored_whole_and_its_services_answer(name: str) -> None:
    """An example that loses a field teaches the wrong thing."""
    _check(ROOT / "examples" / name, must_answer=True)


@pytest.mark.parametrize("name", THIRD_PARTY)
def test_a_manifest_that_others_wrote_is_stored_whole_and_its_services_answer(name: str) -> None:
    """Real files, unchanged: kinds that nothing acts on are carried along."""
    path = MANIFESTS / name
    if not path.exists():
        pytest.skip(f"{path} is not on this machine: third-party manifests are not part of the project")
    _check(path, must_answer=THIRD_PARTY[name])


def test_the_comparison_sees_what_is_lost() -> None:
    """A field that is gone, another value, an element more or less."""
    document = {"spec": {"replicas": 2, "ports": [{"port": 80}]}}

    assert (
        list(missing(document, {"spec": {"replicas": 2, "ports": [{"port": 80, "protocol": "TCP"}]}})) == []
    )
    assert list(missing(document, {"spec": {"ports": [{"port": 80}]}})) == [".spec.replicas: 2 became None"]
    assert len(list(missing(document, {"spec": {"replicas": 2, "ports": []}}))) == 1


def _check(path: Path, *, must_answer: bool) -> None:
    scenario = scenario_of_input([str(path)])

    with running(scenario) as cluster:
        lost = {
            f"{document['kind']} {document['metadata']}": paths
            for document in documents_of(scenario)
            if (paths := lost_in_store(cluster, document))
        }

        assert lost == {}
        if must_answer:
            assert silent_services(cluster) == []
