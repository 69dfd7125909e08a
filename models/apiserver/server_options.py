"""What an API server is started with: its flags, as far as they matter here.

`ServerOptions()` is what a usual cluster runs (kubeadm's flags): nodes and RBAC are asked, service accounts are real, and
kubelets may only touch what is theirs. `PERMISSIVE` lets everybody do everything, as a bare kube-apiserver does whose
service accounts are switched off; recordings and tests of a server alone use it.
Sources: pkg/kubeapiserver/options/{plugins,authorization}.go, cmd/kubeadm/app/phases/controlplane/manifests.go.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from chaoskube.models.apiserver.authorization.authorizer import ALWAYS_ALLOW, NODE, RBAC

OFF_BY_DEFAULT = ("NodeRestriction", "OwnerReferencesPermissionEnforcement")


@frozen(kw_only=True)
class ServerOptions:
    """The flags of one server."""

    authorization: tuple[str, ...] = (NODE, RBAC)
    """Who is asked, in this order, whether somebody may do something."""
    admission_on: tuple[str, ...] = ("NodeRestriction",)
    """Plug-ins besides those that are on by default."""
    admission_off: tuple[str, ...] = ()
    """Plug-ins of the defaults that are off."""
    event_window: int = 0
    """How many events each watch cache keeps; 0: as many as come in 75 s, at least 100, as real ones do."""
    seats: int = 600
    """How many requests are handled at once (max-requests-inflight 400 and max-mutating-requests-inflight 200)."""

    def has_plugin(self, name: str) -> bool:
        """Whether an admission plug-in is on."""
        return name in self.admission_on or (name not in self.admission_off and name not in OFF_BY_DEFAULT)


PERMISSIVE: Final = ServerOptions(
    authorization=(ALWAYS_ALLOW,), admission_on=(), admission_off=("ServiceAccount",)
)
