"""Who sends a request: a name and groups, as the server's authenticators make them of a credential.

A client of the simulation says its user; a certificate gives the user and the groups of its organisations (kept here as
a table of the usual certificates), a service account's token gives `system:serviceaccount:NAMESPACE:NAME` and the
groups of service accounts. Whoever says nothing is anonymous. Pure, and remembered: a client asks thousands of times.
Sources: staging/src/k8s.io/apiserver/pkg/authentication/{user/user.go,serviceaccount/util.go},
pkg/registry/core/serviceaccount/storage/token.go; the certificates are kubeadm's.

Not modelled: certificates that expire, OIDC, webhooks, impersonation. A component's credential is believed.
"""

from __future__ import annotations

from functools import lru_cache

from attrs import frozen

ANONYMOUS = "system:anonymous"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
MASTERS = "system:masters"
NODES = "system:nodes"
NODE_PREFIX = "system:node:"
ACCOUNT_PREFIX = "system:serviceaccount:"
ACCOUNTS = "system:serviceaccounts"
LOOPBACK = "system:apiserver"

_ORGANISATIONS = {"admin": (MASTERS,), LOOPBACK: (MASTERS,)}
"""The organisations in the certificates of well-known users."""


@frozen(kw_only=True)
class Identity:
    """Who asks."""

    name: str
    groups: tuple[str, ...]

    @property
    def node_name(self) -> str:
        """The node whose kubelet this is, "" for all others."""
        return self.name.removeprefix(NODE_PREFIX) if NODES in self.groups else ""

    @property
    def account(self) -> tuple[str, str] | None:
        """Namespace and name of the service account that this is, None for all others."""
        parts = self.name.removeprefix(ACCOUNT_PREFIX).split(":")
        return (parts[0], parts[1]) if self.name.startswith(ACCOUNT_PREFIX) and len(parts) == 2 else None


@lru_cache(maxsize=4096)
def identify(user: str, groups: tuple[str, ...] = ()) -> Identity:
    """Who `user` is, whose certificate also names `groups`."""
    if not user or user == ANONYMOUS:
        return Identity(name=ANONYMOUS, groups=(UNAUTHENTICATED,))
    return Identity(name=user, groups=tuple(dict.fromkeys((*_given(user), *groups, AUTHENTICATED))))


def _given(user: str) -> tuple[str, ...]:
    if user.startswith(ACCOUNT_PREFIX):
        return (ACCOUNTS, f"{ACCOUNTS}:{user.removeprefix(ACCOUNT_PREFIX).partition(':')[0]}")
    if user.startswith(NODE_PREFIX):
        return (NODES,)
    return _ORGANISATIONS.get(user, ())
