"""What must hold of the ledger: one writer after another, and somebody writes."""

from __future__ import annotations

from chaoskube.invariant import always, eventually
from chaoskube.models.objects import ConfigMap
from chaoskube.models.observer import Entry, Observer, Written
from chaoskube.scenarios.operators.ledger import BOOK, NAME, NAMESPACE, writer_of
from chaoskube.sim import SECOND

LONG_NS = 30 * SECOND


@always(on=[Written])
def who_was_followed_writes_no_more(event: Entry, memory: dict[str, object]) -> None:
    """Once another has written the book, who wrote it before never does again.

    It writes with the version of its own last entry. That is the one fence there is: a lease is only asked before a write
    begins. (kubernetes.io, "API Concepts", resource versions; Kleppmann, "How to do distributed locking".)
    """
    written = event.event
    assert isinstance(written, Written), "woken by its own event only"
    if written.key != f"{NAMESPACE}/{BOOK}" or written.obj is None:
        return
    writer, last = writer_of(written.obj), memory.get("last")
    if writer == last:
        return
    assert writer not in memory, f"{writer} writes the book after {last} has followed it"
    memory[writer] = memory["last"] = writer


@eventually(within="120s")
def somebody_writes_the_ledger(seen: Observer) -> None:
    """Once faults stop, somebody leads, and the book is written.

    Else a lease is held by nobody who acts. (client-go's leader election: who is dead loses the lease by its duration.)
    """
    book = seen.get(ConfigMap, f"{NAMESPACE}/{BOOK}")
    assert book is not None, "nobody has written the ledger's book"
    age = seen.now - seen.touched_at(book)
    leading = ", ".join(seen.leaders.get(NAME, ())) or "nobody"
    assert age < LONG_NS, f"the ledger's book has not been written for {age / SECOND:.0f} s; {leading} leads"
