"""PodSecurity: pods keep to the level that their namespace's labels name; nothing by default.

`enforce` refuses pods (not the workloads that make them), `warn` adds a warning to the answer of both. Pods that run are
left alone when the labels change; the change of the labels is answered with a warning that counts them.
Sources: staging/src/k8s.io/pod-security-admission/{admission/admission,api/helpers}.go. The checks are in
`pod_security_checks.py`.

Not modelled: audit annotations, exemptions, the budget of one second and 3000 pods of that warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from chaoskube.models.apiserver.admission.attributes import CREATE, UPDATE, Attributes, Target
from chaoskube.models.apiserver.admission.namespace_lifecycle import namespace_key
from chaoskube.models.apiserver.admission.plugin import Plugin, synced
from chaoskube.models.apiserver.admission.pod_security_checks import findings, told
from chaoskube.models.apiserver.api import Cause
from chaoskube.models.apiserver.errors import internal_error, invalid
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.apiserver.storage import read
from chaoskube.models.objects import KubeObject, Pod, encode

PREFIX = "pod-security.kubernetes.io/"
LEVELS = ("privileged", "baseline", "restricted")
TEMPLATED = frozenset(
    [
        "deployments",
        "replicasets",
        "statefulsets",
        "daemonsets",
        "jobs",
        "cronjobs",
        "replicationcontrollers",
        "podtemplates",
    ]
)


@frozen
class Policy:
    """A level and its version, as labels name them."""

    level: str
    version: str

    def __str__(self) -> str:
        return f"{self.level}:{self.version}"


class PodSecurity(Plugin):
    """Holds pods to their namespace's level."""

    name = "PodSecurity"

    def validates(self, target: Target) -> bool:
        """Pods, what makes pods, and namespaces."""
        on = target.resource in ("pods", "namespaces") or target.resource in TEMPLATED
        return on and not target.subresource and target.operation in (CREATE, UPDATE)

    def validate(self, ctx: Context, attributes: Attributes) -> Flow[None]:
        """Refuses pods, warns of the rest."""
        obj = attributes.obj
        assert obj is not None, "what is written is an object"
        if attributes.resource.name == "namespaces":
            self._namespace(ctx, attributes, obj)
            return
        if attributes.old is not None and not _is_significant(obj, attributes.old):
            return
        labels = yield from _labels(ctx, attributes)
        if not any(name.startswith(PREFIX) for name in labels):
            return
        spec = _pod_spec(obj)
        if spec is not None:
            self._judge(attributes, labels, spec)

    def _judge(self, attributes: Attributes, labels: Mapping[str, str], spec: Mapping[str, Any]) -> None:
        enforced = policy_of(labels, "enforce")
        if attributes.resource.name == "pods":
            found = findings(enforced.level, spec)
            if found:
                raise attributes.forbidden(f'violates PodSecurity "{enforced}": {told(found)}')
        warned = policy_of(labels, "warn")
        found = findings(warned.level, spec)
        if found:
            attributes.warnings.append(f'would violate PodSecurity "{warned}": {told(found)}')

    def _namespace(self, ctx: Context, attributes: Attributes, obj: KubeObject) -> None:
        problems = label_problems(obj.labels)
        if problems and (attributes.old is None or label_problems(attributes.old.labels) != problems):
            raise invalid("Namespace", "", obj.name, problems)
        if attributes.old is None:
            return
        new, old = policy_of(obj.labels, "enforce"), policy_of(attributes.old.labels, "enforce")
        is_stricter = LEVELS.index(new.level) > LEVELS.index(old.level)
        if new.level == "privileged" or (new.version == old.version and not is_stricter):
            return
        attributes.warnings.extend(_existing(ctx, obj.name, new))


def _existing(ctx: Context, namespace: str, policy: Policy) -> list[str]:
    """What is to be said of the pods that run already."""
    offenders: dict[str, list[str]] = {}
    for _, pod in ctx.cache("pods").select(f"/registry/pods/{namespace}/"):
        reasons = ", ".join([reason for reason, _ in findings(policy.level, _pod_spec(pod) or {})])
        if reasons:
            offenders.setdefault(reasons, []).append(pod.name)
    if not offenders:
        return []
    first = f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{policy}"'
    return [first, *sorted([f"{_counted(names)}: {reasons}" for reasons, names in offenders.items()])]


def _counted(names: list[str]) -> str:
    more = len(names) - 1
    if not more:
        return names[0]
    return f"{min(names)} (and {more} other pod{'s' if more > 1 else ''})"


def policy_of(labels: Mapping[str, str], mode: str) -> Policy:
    """What the labels say for `enforce`, `audit` or `warn`; a level that doesn't exist is taken for the strictest."""
    level = labels.get(f"{PREFIX}{mode}")
    version = labels.get(f"{PREFIX}{mode}-version", "latest")
    if level is None:
        return Policy("privileged", version)
    if level not in LEVELS:
        return Policy("restricted" if mode == "enforce" else "privileged", "latest")
    return Policy(level, version)


def label_problems(labels: Mapping[str, str]) -> tuple[Cause, ...]:
    """The labels whose level doesn't exist."""
    found = []
    for mode in ("enforce", "audit", "warn"):
        level = labels.get(f"{PREFIX}{mode}")
        if level is not None and level not in LEVELS:
            why = f'Invalid value: "{level}": must be one of {", ".join(LEVELS)}'
            field = f"metadata.labels[{PREFIX}{mode}]"
            found.append(Cause(reason="FieldValueInvalid", message=why, field=field))
    return tuple(found)


def _labels(ctx: Context, attributes: Attributes) -> Flow[Mapping[str, str]]:
    cache = yield from synced(ctx, attributes, "namespaces")
    key = namespace_key(attributes.namespace)
    found = cache.get(key)
    if found is None:
        found = yield from read(key)
    if found is None:
        raise internal_error(f'failed to lookup namespace "{attributes.namespace}"')
    return found.labels


def _pod_spec(obj: KubeObject) -> Mapping[str, Any] | None:
    """The spec of a pod, or of the template of what makes pods."""
    tree: Mapping[str, Any] = encode(obj)
    if obj.kind == "PodTemplate":
        return (tree.get("template") or {}).get("spec")
    spec = tree.get("spec") or {}
    if isinstance(obj, Pod):
        return spec
    if obj.kind == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    return (spec.get("template") or {}).get("spec")


def _is_significant(new: KubeObject, old: KubeObject) -> bool:
    """A pod's change is looked at only if its containers changed."""
    if not isinstance(new, Pod) or not isinstance(old, Pod):
        return True
    return (
        [one.image for one in new.spec.containers] != [one.image for one in old.spec.containers]
        or [one.image for one in new.spec.init_containers] != [one.image for one in old.spec.init_containers]
        or new.spec.extra.get("ephemeralContainers") != old.spec.extra.get("ephemeralContainers")
    )
