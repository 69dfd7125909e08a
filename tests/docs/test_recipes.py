"""The four recipes of CONTRIBUTING.md: each is one file that is found by itself, and works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, blocks

ROOMS = ("chaoskube", "models", "invariants", "scenarios")
USE_THEM = """
from chaoskube.discovery import scenario_named
from chaoskube.invariants import all_of_a_cluster
from chaoskube.models.objects import Node
from chaoskube.action import parse_step
from chaoskube.run import Session
from chaoskube.sim import SECOND

scenario = scenario_named("node-drain")
assert [cls.verb for cls in scenario.menu] == ["drain", "uncordon"], scenario.menu
assert "a-finished-pod-stays-finished" in [one.name for one in scenario.invariants]
with Session(scenario) as session:
    session.warm_up()
    for text in ("at 0s drain node=node-1", "at 1s flap host=node-2 period=2s lasting=10s"):
        step = parse_step(text)
        session.advance_to(step.at)
        session.apply(step.action)
    result = session.finish(30 * SECOND)
    made = session.subject.observer.get(Node, "node-1")
assert result.failure is None, result.failure
assert made is not None and made.metadata.annotations["node.alpha.kubernetes.io/ttl"] == "0", made
print("all four work")
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the rooms with the four files in them."""
    folder = tmp_path_factory.mktemp("tree")
    for room in ROOMS:
        shutil.copytree(
            ROOT / room, folder / room, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    for recipe in blocks("recipe"):
        assert not (folder / recipe.words).exists(), f"{recipe.words} exists already; choose another example"
        (folder / recipe.words).write_text(recipe.text, encoding="utf-8")
    return folder


def test_there_are_four_recipes() -> None:
    rooms = sorted(recipe.words.rpartition("/")[0] for recipe in blocks("recipe"))

    assert rooms == ["chaoskube/faults", "invariants", "models/controllers", "scenarios"]


def test_each_recipe_is_found_by_itself_and_works(tree: Path) -> None:
    """The scenario runs with the other three in it: a drain under a flapping node, settled, nothing broken."""
    environment = dict(os.environ, PYTHONPATH=str(tree))
    ran = subprocess.run(
        [sys.executable, "-c", USE_THEM],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.stdout == "all four work\n", ran.stdout + ran.stderr
