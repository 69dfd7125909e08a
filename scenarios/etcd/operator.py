"""Who looks after an etcd cluster: asks it, or one member of it, as a person with etcdctl does.

Nothing happens to the operator's process. What it knows is what it was answered.
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models.etcd.backend import Database
from chaoskube.models.etcd.client import EtcdClient, Outcome
from chaoskube.models.etcd.messages import MemberList, MemberListResponse, Request
from chaoskube.sim import SECOND, Address, World

CLIENTS_HOST = "clients"
CALL_NS = 8 * SECOND
"""A little more than a member tries."""


class Operator:
    """Asks for what people ask for."""

    def __init__(self, world: World, servers: tuple[Address, ...]) -> None:
        self.saved: Database | None = None
        """The newest backup."""
        self.restores = 0
        """How often the cluster was made anew."""
        process = world.process("operator", host=CLIENTS_HOST, boot=lambda process: None)
        process.start()
        self._client = EtcdClient(process, servers)

    def ask(
        self, request: Request, on_done: Callable[[Outcome], None], server: Address | None = None
    ) -> None:
        """One request, to one member or to any."""
        self._client.request(request, on_done, CALL_NS, endpoint=server)

    def with_id(
        self,
        member: str,
        then: Callable[[int], None],
        otherwise: Callable[[], None],
    ) -> None:
        """Call `then` with the id of the member of that name, if there is one and it can be known."""

        def listed(outcome: Outcome) -> None:
            members = outcome.members if isinstance(outcome, MemberListResponse) else ()
            ids = [one.id for one in members if one.name == member]
            if ids:
                then(ids[0])
            else:
                otherwise()

        self.ask(MemberList(), listed)
