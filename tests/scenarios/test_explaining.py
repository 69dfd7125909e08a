"""`chaoskube explain-fields`: a kind by any of its names, files and folders, and what they are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from chaoskube.scenarios.explaining import explain_fields
from chaoskube.sim import UsageError

QUOTA = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: some}\nspec: {hard: {pods: 1}}\n"


def told(*words: str) -> list[str]:
    """What the command prints."""
    return CliRunner().invoke(explain_fields, words, catch_exceptions=False).output.splitlines()


def test_a_kind_may_be_called_by_its_plural() -> None:
    assert told("ResourceQuota") == told("resourcequotas") == told("v1/ResourceQuota")
    assert told("ResourceQuota")[0] == "v1 ResourceQuota"


def test_a_folder_is_read_as_a_hunt_reads_it(tmp_path: Path) -> None:
    (tmp_path / "quota.yaml").write_text(QUOTA)
    first, *fields = told(str(tmp_path))

    assert first == f"{tmp_path}/quota.yaml:1 ResourceQuota some"
    assert [line.split()[0] for line in fields] == ["spec.hard"]


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        ("Foo", "there is no such kind, and no such file; write one like Pod, pods or apps/v1/Deployment"),
        ("Deploymnet", "did you mean Deployment?"),
        ("v1/Foo", '"v1" has no kind "Foo"'),
        ("gone.yaml", "No such file or directory"),
        ("/dev/null", "no Kubernetes object"),
    ],
)
def test_what_is_neither_is_said_in_one_sentence(what: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        told(what)
