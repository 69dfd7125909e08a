"""The service account controller: every active namespace has a ServiceAccount `default`.

What a pod runs as until it says otherwise. One that is deleted is made again; a namespace that goes gets none.

Source: pkg/controller/serviceaccount/serviceaccounts_controller.go.

Not modelled: tokens in Secrets (none are made since 1.24); tokens that pods ask for are the API server's own.
"""

from __future__ import annotations

from chaoskube.models.client.api import has_cause, is_already_exists
from chaoskube.models.controllers.base import ManagerContext, controller
from chaoskube.models.objects import KubeObject, Namespace, ObjectMeta, ServiceAccount
from chaoskube.sim import Refused

DEFAULT_ACCOUNT = "default"


@controller("service-account", account="service-account-controller")
class ServiceAccountController:
    """Creates the ServiceAccounts that namespaces lack."""

    def __init__(self, manager: ManagerContext) -> None:
        self._client = manager.client
        self._workers = manager.workers(self.reconcile, workers=1)
        self._accounts = manager.informer("serviceaccounts")
        self._namespaces = manager.informer("namespaces")
        self._accounts.add_handler(on_delete=self._account_gone)
        self._namespaces.add_handler(on_add=self._changed, on_update=lambda old, new: self._changed(new))

    def start(self) -> None:
        """Begin to work."""
        self._workers.start()

    def _account_gone(self, account: KubeObject) -> None:
        if account.name == DEFAULT_ACCOUNT:
            self._workers.add(account.namespace)

    def _changed(self, namespace: KubeObject) -> None:
        self._workers.add(namespace.name)

    async def reconcile(self, name: str) -> None:
        """Create the account if it isn't there, as far as is known here."""
        namespace = self._namespaces.get_by_key(name)
        if not isinstance(namespace, Namespace) or not is_due(namespace):
            return
        if self._accounts.get(name, DEFAULT_ACCOUNT) is not None:
            return
        try:
            await self._client.create(
                ServiceAccount(metadata=ObjectMeta(name=DEFAULT_ACCOUNT, namespace=name))
            )
        except Refused as refusal:
            if not is_already_exists(refusal) and not has_cause(refusal, "NamespaceTerminating"):
                raise


def is_due(namespace: Namespace) -> bool:
    """Whether a namespace is to have accounts: not while it goes."""
    return namespace.status.phase == "Active"
