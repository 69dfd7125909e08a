"""What must hold of webhook configurations.

Sources: pkg/apis/admissionregistration/validation/validation.go, staging/src/k8s.io/apiserver/pkg/util/webhook/validation.go.
Called by validation.py.

Not modelled: match conditions (CEL).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chaoskube.models.objects.causes import Cause, duplicate, invalid, required, unsupported
from chaoskube.models.objects.names import dns1035_label, dns_subdomain
from chaoskube.models.objects.validation_meta import check_selector
from chaoskube.models.objects.validation_values import maybe_one_of
from chaoskube.models.objects.webhooks import (
    MutatingWebhook,
    MutatingWebhookConfiguration,
    RuleWithOperations,
    ValidatingWebhook,
    ValidatingWebhookConfiguration,
    WebhookClientConfig,
    WebhookServiceReference,
)

_REVIEWS: Final = ("v1", "v1beta1")
_OPERATIONS: Final = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")


def check_webhooks(obj: ValidatingWebhookConfiguration | MutatingWebhookConfiguration) -> Iterator[Cause]:
    """A configuration of either kind."""
    names: list[str] = []
    webhooks: tuple[ValidatingWebhook | MutatingWebhook, ...] = obj.webhooks
    for position, webhook in enumerate(webhooks):
        path = f"webhooks[{position}]"
        yield from _webhook(webhook, path)
        yield from _review_versions(webhook.admission_review_versions, f"{path}.admissionReviewVersions")
        if webhook.name and webhook.name in names:
            yield duplicate(f"{path}.name", webhook.name)
        names.append(webhook.name)


def _webhook(webhook: ValidatingWebhook | MutatingWebhook, path: str) -> Iterator[Cause]:
    yield from _full_name(webhook.name, f"{path}.name")
    for position, rule in enumerate(webhook.rules):
        yield from _rule(rule, f"{path}.rules[{position}]")
    yield from maybe_one_of(f"{path}.failurePolicy", webhook.failure_policy, ("Fail", "Ignore"))
    yield from maybe_one_of(f"{path}.matchPolicy", webhook.match_policy, ("Equivalent", "Exact"))
    if webhook.side_effects is None:
        yield required(f"{path}.sideEffects", "must specify one of None, NoneOnDryRun")
    yield from maybe_one_of(f"{path}.sideEffects", webhook.side_effects, ("None", "NoneOnDryRun"))
    seconds = webhook.timeout_seconds
    if seconds is not None and not 1 <= seconds <= 30:
        yield invalid(f"{path}.timeoutSeconds", seconds, "the timeout value must be between 1 and 30 seconds")
    if webhook.namespace_selector is not None:
        yield from check_selector(webhook.namespace_selector, f"{path}.namespaceSelector")
    if webhook.object_selector is not None:
        yield from check_selector(webhook.object_selector, f"{path}.objectSelector")
    if isinstance(webhook, MutatingWebhook):
        policy = webhook.reinvocation_policy
        yield from maybe_one_of(f"{path}.reinvocationPolicy", policy, ("IfNeeded", "Never"))
    yield from _client(webhook.client_config, f"{path}.clientConfig")


def _full_name(name: str, path: str) -> Iterator[Cause]:
    """IsFullyQualifiedName: a domain of at least three parts."""
    if not name:
        yield required(path)
        return
    wrong = dns_subdomain(name)
    for message in wrong:
        yield invalid(path, name, message)
    if not wrong and name.count(".") < 2:
        yield invalid(path, name, "should be a domain with at least three segments separated by dots")


def _client(client: WebhookClientConfig, path: str) -> Iterator[Cause]:
    if (client.url is None) == (client.service is None):
        yield required(path, "exactly one of url or service is required")
    elif client.url is not None:
        if not client.url.startswith("https://"):
            scheme = client.url.partition("://")[0] if "://" in client.url else ""
            text = "'https' is the only allowed URL scheme; desired format: https://host[/path]"
            yield invalid(f"{path}.url", scheme, text)
    elif client.service is not None:
        yield from _service(client.service, f"{path}.service")


def _service(service: WebhookServiceReference, path: str) -> Iterator[Cause]:
    if not service.name:
        yield required(f"{path}.name", "service name is required")
    if not service.namespace:
        yield required(f"{path}.namespace", "service namespace is required")
    if service.port is not None and not 1 <= service.port <= 65535:
        text = "port is not valid: must be between 1 and 65535, inclusive"
        yield invalid(f"{path}.port", service.port, text)
    where = service.path
    if where is None:
        return
    if not where.startswith("/"):
        yield invalid(f"{path}.path", where, "must start with a '/'")
    elif where != "/":
        for number, step in enumerate(where.removesuffix("/").split("/")[1:]):
            if not step:
                yield invalid(f"{path}.path", where, f"segment[{number}] may not be empty")
            for message in dns_subdomain(step) if step else ():
                yield invalid(f"{path}.path", where, f"segment[{number}]: {message}")


def _rule(rule: RuleWithOperations, path: str) -> Iterator[Cause]:
    if not rule.operations:
        yield required(f"{path}.operations")
    if len(rule.operations) > 1 and "*" in rule.operations:
        text = "if '*' is present, must not specify other operations"
        yield invalid(f"{path}.operations", rule.operations, text)
    for position, operation in enumerate(rule.operations):
        if operation not in _OPERATIONS:
            yield unsupported(f"{path}.operations[{position}]", operation, _OPERATIONS)
    for field, values, noun in (
        ("apiGroups", rule.api_groups, "API groups"),
        ("apiVersions", rule.api_versions, "API versions"),
    ):
        if not values:
            yield required(f"{path}.{field}")
        if len(values) > 1 and "*" in values:
            yield invalid(f"{path}.{field}", values, f"if '*' is present, must not specify other {noun}")
    for position, version in enumerate(rule.api_versions):
        if not version:
            yield required(f"{path}.apiVersions[{position}]")
    yield from _resources(rule.resources, f"{path}.resources")
    yield from maybe_one_of(f"{path}.scope", rule.scope, ("*", "Cluster", "Namespaced"))


def _resources(resources: tuple[str, ...], path: str) -> Iterator[Cause]:
    if not resources:
        yield required(path)
    all_of_resource: list[str] = []
    all_of_subresource: list[str] = []
    for position, name in enumerate(resources):
        if not name:
            yield required(f"{path}[{position}]")
            continue
        resource, slash, sub = name.partition("/")
        if not slash:
            continue
        if resource in all_of_resource:
            text = f"if '{resource}/*' is present, must not specify {name}"
            yield invalid(f"{path}[{position}]", name, text)
        if sub in all_of_subresource:
            yield invalid(f"{path}[{position}]", name, f"if '*/{sub}' is present, must not specify {name}")
        if sub == "*":
            all_of_resource.append(resource)
        if resource == "*":
            all_of_subresource.append(sub)
    if len(resources) > 1 and "*/*" in resources:
        yield invalid(path, resources, "if '*/*' is present, must not specify other resources")
    plain = [name for name in resources if "/" not in name]
    if "*" in plain and plain[-1] != "*":
        text = "if '*' is present, must not specify other resources without subresources"
        yield invalid(path, resources, text)


def _review_versions(versions: tuple[str, ...], path: str) -> Iterator[Cause]:
    if not versions:
        yield required(path, f"must specify one of {', '.join(_REVIEWS)}")
        return
    for position, version in enumerate(versions):
        if version in versions[:position]:
            yield invalid(f"{path}[{position}]", version, "duplicate version")
            continue
        for message in dns1035_label(version):
            yield invalid(f"{path}[{position}]", version, message)
    if not any(version in _REVIEWS for version in versions):
        yield invalid(path, versions, f"must include at least one of {', '.join(_REVIEWS)}")
