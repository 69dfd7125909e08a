"""Admission webhooks: whom the API server asks before it writes.

Source: staging/src/k8s.io/api/admissionregistration/v1/types.go.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import POINTER, WRITTEN
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject, LabelSelector


@frozen(kw_only=True)
class WebhookServiceReference:
    """A Service that answers."""

    namespace: str = field(default="", metadata=WRITTEN)
    name: str = field(default="", metadata=WRITTEN)
    path: str | None = field(default=None, metadata=POINTER)
    port: int | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class WebhookClientConfig:
    """Where the webhook is: an URL or a Service."""

    url: str | None = field(default=None, metadata=POINTER)
    service: WebhookServiceReference | None = None
    ca_bundle: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class RuleWithOperations:
    """Which operations on which resources."""

    operations: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    api_versions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    scope: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class MatchCondition:
    """An expression that a request must meet."""

    name: str = field(default="", metadata=WRITTEN)
    expression: str = field(default="", metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ValidatingWebhook:
    """Somebody who may refuse."""

    name: str = field(default="", metadata=WRITTEN)
    client_config: WebhookClientConfig = field(default=WebhookClientConfig(), metadata=WRITTEN)
    rules: tuple[RuleWithOperations, ...] = ()
    failure_policy: str | None = None
    match_policy: str | None = None
    namespace_selector: LabelSelector | None = None
    object_selector: LabelSelector | None = None
    side_effects: str | None = field(default=None, metadata=WRITTEN)
    timeout_seconds: int | None = None
    admission_review_versions: tuple[str, ...] = field(default=(), metadata=WRITTEN)
    match_conditions: tuple[MatchCondition, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ValidatingWebhookConfiguration(KubeObject):
    """Webhooks that may refuse; all are asked at once."""

    api_version: str = "admissionregistration.k8s.io/v1"
    kind: str = "ValidatingWebhookConfiguration"
    webhooks: tuple[ValidatingWebhook, ...] = ()


@frozen(kw_only=True)
class MutatingWebhook:
    """Somebody who may change what is written."""

    name: str = field(default="", metadata=WRITTEN)
    client_config: WebhookClientConfig = field(default=WebhookClientConfig(), metadata=WRITTEN)
    rules: tuple[RuleWithOperations, ...] = ()
    failure_policy: str | None = None
    match_policy: str | None = None
    namespace_selector: LabelSelector | None = None
    object_selector: LabelSelector | None = None
    side_effects: str | None = field(default=None, metadata=WRITTEN)
    timeout_seconds: int | None = None
    admission_review_versions: tuple[str, ...] = field(default=(), metadata=WRITTEN)
    reinvocation_policy: str | None = None
    match_conditions: tuple[MatchCondition, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class MutatingWebhookConfiguration(KubeObject):
    """Webhooks that may change what is written; asked one after the other."""

    api_version: str = "admissionregistration.k8s.io/v1"
    kind: str = "MutatingWebhookConfiguration"
    webhooks: tuple[MutatingWebhook, ...] = ()
