"""An operator of which one replica works: it keeps a ledger, and elects who may, as any program does that must not run twice.

Who leads writes one entry after another, in two ways that real programs mix. Guarded: the page `book`, read once when its
term begins and written with the version that it wrote last; if anybody else has written meanwhile the server refuses, and it
gives up. Unguarded: a note, patched whatever others do. A lease fences nothing: a note that was on its way when the lease was
lost may land in the next leader's term, an entry in the book never does.

The replicas are in the middle of a rolling change of their configuration: the first still leads for 15 s at a time, the others
already for 4 s. So who looks at a lease must go by what its holder wrote into it.

Run by `scenarios/leader_election.py`; what must hold of it stands in `ledger_rules.py`.
"""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.apiserver.api import MERGE
from chaoskube.models.client.api import is_already_exists, is_conflict, is_not_found
from chaoskube.models.client.election import ElectionOptions
from chaoskube.models.client.operator import OperatorContext, operator
from chaoskube.models.objects import ConfigMap, FrozenDict, KubeObject, ObjectMeta
from chaoskube.sim import MILLISECOND, SECOND, Refused, Unsure

NAME = "ledger"
NAMESPACE = "kube-system"
BOOK = "book"
WRITER = "writer"
NOTES = "notes"
PAUSE_NS = 1500 * MILLISECOND
"""From one entry to the next."""
OLD = ElectionOptions()
NEW = ElectionOptions(lease_duration_ns=4 * SECOND, renew_deadline_ns=3 * SECOND, retry_period_ns=SECOND)


class Outrun(Exception):
    """Somebody else has written the book: this writer's term is over."""


@operator(NAME, replicas=3, elections=(OLD, NEW, NEW))
def ledger(op: OperatorContext) -> Ledger:
    """What is run, as an administrator."""
    return Ledger(op)


class Ledger:
    """Writes while it leads."""

    def __init__(self, op: OperatorContext) -> None:
        self._client = op.client
        self._process = op.process
        self._writer = f"{op.process.name}-{op.process.life}"
        op.add_task(self.keep)

    async def keep(self) -> None:
        """Take the book over, then write until somebody else has."""
        book: KubeObject | None = None
        while True:
            try:
                book = await self._guarded(book or await self._take_over())
                await self._unguarded(book)
            except Outrun:
                self._process.exit()
            except (Refused, Unsure):
                book = await self._mine_still(book)
            await self._process.sleep(PAUSE_NS)

    # -- guarded

    async def _take_over(self) -> KubeObject:
        """The book as it is now, made if there is none: what others write from now on is noticed."""
        try:
            return await self._client.create(self._page(BOOK))
        except Refused as refused:
            if not is_already_exists(refused):
                raise
        return await self._client.get("configmaps", NAMESPACE, BOOK)

    async def _guarded(self, book: KubeObject) -> KubeObject:
        assert isinstance(book, ConfigMap), f"a ConfigMap, not {book!r}"
        entries = str(int(book.data.get("entries", "0")) + 1)
        try:
            return await self._client.update(
                evolve(book, data=FrozenDict({WRITER: self._writer, "entries": entries}))
            )
        except Refused as refused:
            if is_conflict(refused):
                raise Outrun from refused
            raise

    async def _mine_still(self, book: KubeObject | None) -> KubeObject | None:
        """Nobody knows what became of the last entry: go on from the book as it is, if nobody else has written it."""
        if book is None:
            return None
        try:
            found = await self._client.get("configmaps", NAMESPACE, BOOK)
        except (Refused, Unsure):
            return book
        if writer_of(found) not in (self._writer, writer_of(book)):
            self._process.exit()
        return found

    # -- unguarded

    async def _unguarded(self, book: KubeObject) -> None:
        note = {"data": {WRITER: self._writer, "after": book.metadata.resource_version}}
        try:
            await self._client.patch("configmaps", NAMESPACE, NOTES, note, type=MERGE)
        except Refused as refused:
            if not is_not_found(refused):
                raise
            await self._client.create(self._page(NOTES))

    def _page(self, name: str) -> ConfigMap:
        metadata = ObjectMeta(name=name, namespace=NAMESPACE)
        return ConfigMap(metadata=metadata, data=FrozenDict({WRITER: self._writer}))


def writer_of(page: KubeObject) -> str:
    """Which life of which replica has written it."""
    assert isinstance(page, ConfigMap), f"a ConfigMap, not {page!r}"
    return page.data.get(WRITER, "")
