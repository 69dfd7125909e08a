"""The chain of one server: which plug-ins there are, in the real order, and which of them a request meets.

Mutating plug-ins see an object first, one after the other, and once more if a webhook changed it; validating ones see what would be stored, inside the
storage transaction, and again whenever that starts over. Which plug-ins a target meets is worked out once.
Sources: pkg/kubeapiserver/options/plugins.go, staging/src/k8s.io/apiserver/pkg/admission/{chain,reinvocation}.go.

Not modelled: policies in CEL (MutatingAdmissionPolicy, ValidatingAdmissionPolicy), runtime classes, certificates,
PersistentVolumeClaimResize; PodTopologyLabels is in the binding subresource.
"""

from __future__ import annotations

from chaoskube.models.apiserver.admission.attributes import Attributes, Target
from chaoskube.models.apiserver.admission.default_classes import DefaultIngressClass, DefaultStorageClass
from chaoskube.models.apiserver.admission.default_tolerations import DefaultTolerationSeconds
from chaoskube.models.apiserver.admission.limit_ranger import LimitRanger
from chaoskube.models.apiserver.admission.namespace_lifecycle import NamespaceLifecycle
from chaoskube.models.apiserver.admission.node_restriction import NodeRestriction
from chaoskube.models.apiserver.admission.node_taint import TaintNodesByCondition
from chaoskube.models.apiserver.admission.plugin import Plugin
from chaoskube.models.apiserver.admission.pod_security import PodSecurity
from chaoskube.models.apiserver.admission.priority import Priority
from chaoskube.models.apiserver.admission.resource_quota import ResourceQuotaPlugin
from chaoskube.models.apiserver.admission.service_account import ServiceAccountPlugin
from chaoskube.models.apiserver.admission.storage_protection import StorageObjectInUseProtection
from chaoskube.models.apiserver.admission.webhooks import MutatingWebhooks, ValidatingWebhooks
from chaoskube.models.apiserver.flow import Context, Flow

PLUGINS: tuple[type[Plugin], ...] = (
    NamespaceLifecycle,
    LimitRanger,
    ServiceAccountPlugin,
    NodeRestriction,
    TaintNodesByCondition,
    PodSecurity,
    Priority,
    DefaultTolerationSeconds,
    DefaultStorageClass,
    StorageObjectInUseProtection,
    DefaultIngressClass,
    MutatingWebhooks,
    ValidatingWebhooks,
    ResourceQuotaPlugin,
)


class Chain:
    """The plug-ins of one server in one life."""

    def __init__(self, plugins: tuple[Plugin, ...]) -> None:
        self.plugins = plugins
        self._admitting: dict[Target, tuple[Plugin, ...]] = {}
        self._validating: dict[Target, tuple[Plugin, ...]] = {}

    def admitting(self, target: Target) -> tuple[Plugin, ...]:
        """The plug-ins that may change such a request's object."""
        found = self._admitting.get(target)
        if found is None:
            found = tuple([plugin for plugin in self.plugins if plugin.admits(target)])
            self._admitting[target] = found
        return found

    def validating(self, target: Target) -> tuple[Plugin, ...]:
        """The plug-ins that may refuse such a request."""
        found = self._validating.get(target)
        if found is None:
            found = tuple([plugin for plugin in self.plugins if plugin.validates(target)])
            self._validating[target] = found
        return found

    def admit(self, ctx: Context, attributes: Attributes) -> Flow[Attributes]:
        """The request with the object that the plug-ins leave, or the first refusal."""
        plugins = self.admitting(attributes.target)
        for plugin in plugins:
            attributes = yield from plugin.admit(ctx, attributes)
        if attributes.reinvocation.is_wanted:
            attributes.reinvocation.is_second = True
            for plugin in plugins:
                attributes = yield from plugin.admit(ctx, attributes)
        return attributes

    def validate(self, ctx: Context, attributes: Attributes) -> Flow[None]:
        """Nothing, or the first refusal of what would be stored."""
        for plugin in self.validating(attributes.target):
            yield from plugin.validate(ctx, attributes)
