"""The door for users' operators: documents with definitions, and references that a trace carries."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaoskube.models.client.operator import OperatorContext, reconciler
from chaoskube.scenarios.operated import load_operator, operated, reference_of
from chaoskube.scenarios.operators.database import database_operator
from chaoskube.scenarios.simpler import GROUND
from chaoskube.sim import UsageError

MANIFEST = Path(__file__).parents[2] / "scenarios" / "operators" / "database.yaml"


@reconciler("nothing", on="databases.shop.example")
async def does_nothing(op: OperatorContext, key: str) -> None:
    """An operator of a test's own."""


def test_a_trace_finds_an_operator_again() -> None:
    """By module when it is installed, else by its file."""
    assert reference_of(database_operator) == "chaoskube.scenarios.operators.database:database_operator"
    assert load_operator(reference_of(database_operator)) is database_operator
    assert reference_of(does_nothing).endswith("test_operated.py:does_nothing")
    assert load_operator(reference_of(does_nothing)).name == "nothing"
    with pytest.raises(UsageError, match="has no operator 'nobody'; it has database_operator, does_nothing"):
        load_operator(f"{__file__}:nobody")


def test_documents_may_be_of_kinds_that_others_define() -> None:
    """The setup carries them, with the operator's place; the menu knows what can be done to them."""
    made = operated(MANIFEST, operators=[does_nothing])
    documents = made.setup["documents"]

    assert isinstance(documents, list)
    assert "Database" in [tree["kind"] for tree in documents]
    assert {"scale-custom", "recreate-custom"} <= {action.verb for action in made.menu}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            "members: 0",
            "spec.members: Invalid value: 0: spec.members in body should be greater than or equal to 1",
        ),
        ("members: 2, colour: red", "spec.colour: unknown field"),
        ("storage: 1Gi", "spec.members: Required value"),
    ],
)
def test_a_custom_object_is_held_against_its_schema_before_anything_runs(
    tmp_path: Path, wrong: str, said: str
) -> None:
    """With its file and line."""
    file = tmp_path / "database.yaml"
    file.write_text(MANIFEST.read_text().replace("members: 2", wrong))

    with pytest.raises(UsageError, match=f"database.yaml:\\d+: Database orders: {said}"):
        operated(file, operators=[does_nothing])


def test_an_object_that_nothing_defines_is_refused(tmp_path: Path) -> None:
    """With what to do."""
    file = tmp_path / "till.yaml"
    file.write_text("apiVersion: shop.example/v1\nkind: Till\nmetadata: {name: a}\n")

    with pytest.raises(UsageError, match="none of these files defines it: add its CustomResourceDefinition"):
        operated(file, operators=[does_nothing])


def test_a_simpler_cluster_keeps_what_an_operator_stands_on() -> None:
    """Without its rights or its definition it would fail for another reason."""
    made = operated(MANIFEST, operators=[does_nothing])
    documents = made.setup["documents"]
    assert isinstance(documents, list)
    ground = [tree["kind"] for tree in documents if tree["kind"] in GROUND]

    assert ground and made.simpler is not None
    for setup in made.simpler(made.setup):
        kept = setup["documents"]
        assert isinstance(kept, list)
        assert [tree["kind"] for tree in kept if tree["kind"] in GROUND] == ground


def test_what_is_no_operator_is_refused() -> None:
    """A function without its decorator, and none at all: nobody would work in such a hunt."""
    with pytest.raises(
        UsageError, match="operators made with @reconciler or @operator, not <built-in function print>"
    ):
        operated(MANIFEST, operators=[print])  # type: ignore[list-item]  # the mistake
    for paths, operators in (((MANIFEST,), []), ((), [does_nothing])):
        with pytest.raises(UsageError, match="needs paths of manifests, and operators made with"):
            operated(*paths, operators=operators)
