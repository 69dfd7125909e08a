"""Planted bugs: a deviation put in by patching one place for the life of one world, then taken out.

    @bug("raft-vote-not-durable", cites="...", invariants=("one-vote-a-term",), scenario="etcd-register",
         needs=("crash",))
    def raft_vote_not_durable() -> Iterator[None]:
        '''A member answers a vote before it has synced it.'''
        with patched(Member, "_save_vote", lambda self: None):
            yield

The models carry no switches for bugs. `run.py` enters the bug before a world is built and leaves it after
the world is closed. Names, cited sources and what must catch a bug stand in one file each, in
`scenarios/bugs/`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from attrs import field, frozen

from chaoskube.sim import Catalogue, UsageError


@frozen(kw_only=True)
class Bug:
    """One planted bug: where it is known from, what catches it, in which scenario, with which faults.

    `invariants` are those that catch it: a hunt may meet any of them first. `needs` are faults of which at least
    one must be on the menu. `setup` is what of the scenario's setup differs from its default (one member, say).
    `bounds` are those with which an exhaustive search reaches it too, as far as they differ from the usual ones; None
    where no search does.
    """

    slug: str
    doc: str
    cites: str
    invariants: tuple[str, ...]
    scenario: str
    needs: tuple[str, ...]
    patch: Callable[[], AbstractContextManager[None]]
    setup: Mapping[str, object] = field(factory=dict)
    bounds: Mapping[str, object] | None = None


bugs: Catalogue[Bug] = Catalogue("bug")


def bug(
    slug: str,
    *,
    cites: str,
    invariants: tuple[str, ...],
    scenario: str,
    needs: tuple[str, ...] = (),
    setup: Mapping[str, object] | None = None,
    bounds: Mapping[str, object] | None = None,
) -> Callable[[Callable[[], Iterator[None]]], Bug]:
    """Register a generator function that patches, yields, and takes the patch out again."""

    def register(patch: Callable[[], Iterator[None]]) -> Bug:
        doc = inspect.getdoc(patch)
        if not doc:
            raise UsageError(f"bug {slug} needs a docstring: what goes wrong, in one sentence")
        made = Bug(
            slug=slug,
            doc=doc,
            cites=cites,
            invariants=invariants,
            scenario=scenario,
            needs=needs,
            patch=contextmanager(patch),
            setup=setup or {},
            bounds=bounds,
        )
        return bugs.register(slug, made)

    return register


@contextmanager
def patched(owner: object, name: str, replacement: object) -> Iterator[None]:
    """`owner.name` is `replacement` inside the scope, and what it was before afterwards."""
    if name not in vars(owner):
        raise UsageError(f"there is no {name!r} to patch in {owner!r}")
    original = vars(owner)[name]
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        setattr(owner, name, original)
