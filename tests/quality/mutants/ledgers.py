"""Mutants of a program that elects who writes."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from chaoskube.bug import patched
from chaoskube.models.client.election import Election
from chaoskube.models.objects import ConfigMap, FrozenDict, KubeObject
from chaoskube.scenarios.operators.ledger import WRITER, Ledger
from tests.quality.mutant import mutant


@mutant("who-was-followed-writes-no-more", scenario="leader-election")
def the_book_is_not_guarded() -> Iterator[None]:
    """An entry is written over whatever is there, by whoever believes to lead."""

    async def unguarded(self: Ledger, book: KubeObject) -> KubeObject:
        assert isinstance(book, ConfigMap)
        entries = str(int(book.data.get("entries", "0")) + 1)
        metadata = evolve(book.metadata, resource_version="")
        written = FrozenDict({WRITER: self._writer, "entries": entries})
        return await self._client.update(evolve(book, metadata=metadata, data=written))

    with patched(Ledger, "_guarded", unguarded):
        yield


@mutant("somebody-writes-the-ledger", scenario="leader-election")
def a_lease_never_ends() -> Iterator[None]:
    """A candidate takes a lease only if nobody holds it, however long its holder has not been heard of."""
    with patched(Election, "may_take", lambda self, now: self.is_leader or not self.observed.holder):
        yield
