"""What the Service network writes to the journal."""

from attrs import frozen

from chaoskube.models.network.endpoints import Backend


@frozen(kw_only=True)
class ProxySynced:
    """A node's rules for one port of a Service have changed."""

    node: str
    service: str
    port_name: str
    before: tuple[Backend, ...]
    after: tuple[Backend, ...]


@frozen(kw_only=True)
class RequestEnded:
    """One request of a client: how it ended, and the way it took.

    `outcome` is ok, refused, reset, timed out or no endpoint; `endpoint`, `pod` and `pod_node` are empty when
    no endpoint was chosen.
    """

    client: str
    node: str
    service: str
    outcome: str
    endpoint: str
    pod: str
    pod_node: str
    started_at: int
    ended_at: int

    def digest_text(self) -> str:
        """All of it, cheaper than field by field."""
        return (
            f"RequestEnded {self.client} {self.service} {self.outcome} {self.endpoint} {self.pod} "
            f"{self.pod_node} {self.started_at} {self.ended_at}"
        )
