"""Which webhooks a request meets: rules, and selectors on the namespace and on the object. Pure.

Sources: staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/{generic/webhook,predicates/rules/rules,
predicates/namespace/matcher,predicates/object/matcher}.go.

Not modelled: match conditions (CEL: taken as met), equivalent resources of other groups (matchPolicy).
"""

from __future__ import annotations

from collections.abc import Mapping

from chaoskube.models.apiserver.admission.attributes import Attributes
from chaoskube.models.objects import LabelSelector, as_selector
from chaoskube.models.objects.webhooks import MutatingWebhook, RuleWithOperations, ValidatingWebhook

Hook = MutatingWebhook | ValidatingWebhook


def is_called(hook: Hook, attributes: Attributes, namespace_labels: Mapping[str, str] | None) -> bool:
    """Whether the webhook is to be asked; a namespace that isn't known (None) has no labels."""
    return (
        any(rule_matches(rule, attributes) for rule in hook.rules)
        and _namespace_matches(hook.namespace_selector, attributes, namespace_labels)
        and _object_matches(hook.object_selector, attributes)
    )


def rule_matches(rule: RuleWithOperations, attributes: Attributes) -> bool:
    """Whether a rule names the operation and the resource."""
    resource = attributes.resource
    group, _, version = resource.api_version.rpartition("/")
    return (
        _scope_matches(rule.scope, attributes)
        and _is_among(rule.operations, attributes.operation)
        and _is_among(rule.api_groups, group)
        and _is_among(rule.api_versions, version)
        and any(_names(named, resource.plural, attributes.subresource) for named in rule.resources)
    )


def _is_among(values: tuple[str, ...], wanted: str) -> bool:
    return "*" in values or wanted in values


def _names(named: str, plural: str, subresource: str) -> bool:
    """`pods` is no subresource, `pods/*` is every one of them and the pod itself, `*/*` is everything."""
    resource, _, sub = named.partition("/")
    return resource in ("*", plural) and sub in ("*", subresource)


def _scope_matches(scope: str | None, attributes: Attributes) -> bool:
    if scope in (None, "*"):
        return True
    return attributes.resource.namespaced == (scope == "Namespaced")


def _namespace_matches(
    selector: LabelSelector | None, attributes: Attributes, labels: Mapping[str, str] | None
) -> bool:
    """Everything that is in no namespace passes; a namespace is looked at by its own labels."""
    if selector is None or not (selector.match_labels or selector.match_expressions):
        return True
    if attributes.resource.name == "namespaces":
        obj = attributes.obj or attributes.old
        labels = obj.labels if obj is not None else {}
    elif not attributes.namespace:
        return True
    return as_selector(selector).matches(labels or {})


def _object_matches(selector: LabelSelector | None, attributes: Attributes) -> bool:
    """The new object or the old one has to match."""
    if selector is None or not (selector.match_labels or selector.match_expressions):
        return True
    wanted = as_selector(selector)
    return any(obj is not None and wanted.matches(obj.labels) for obj in (attributes.obj, attributes.old))
