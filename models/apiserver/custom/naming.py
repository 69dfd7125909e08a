"""Which of its names a definition gets, and when it is established. Pure.

Names are taken within a group: who is there first keeps them. A definition with a name that is in use gets the rest, says so in
NamesAccepted, and isn't served before it has had all of them once. Established follows in a write of its own, so that every
server has seen the names before clients are told to come.

Sources: staging/src/k8s.io/apiextensions-apiserver/pkg/controller/{status/naming_controller,establish/
establishing_controller}.go.

Called by `controllers.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve, field, frozen

from chaoskube.models.apiserver.custom.definitions import ESTABLISHED, NAMES_ACCEPTED, with_condition
from chaoskube.models.objects import CustomResourceDefinition, CustomResourceDefinitionNames
from chaoskube.models.objects.conditions import get_condition, is_true


@frozen(kw_only=True)
class _Verdict:
    """The names that it gets, and the first reason for which it doesn't get another (none: it gets all)."""

    names: CustomResourceDefinitionNames
    reason: str = ""
    message: str = ""


@frozen(kw_only=True)
class _InUse:
    """The names that the definitions of a group have."""

    resources: frozenset[str | None] = field(factory=frozenset)
    kinds: frozenset[str | None] = field(factory=frozenset)


def named(
    definition: CustomResourceDefinition, all_definitions: Iterable[CustomResourceDefinition], now_ns: int
) -> CustomResourceDefinition | None:
    """The definition with its status as its names are now; None when that says it already."""
    if definition.spec.names == definition.status.accepted_names:
        return None
    verdict = _verdict(definition, _in_use(definition.spec.group, all_definitions))
    accepted = get_condition(definition.status.conditions, NAMES_ACCEPTED)
    status = "False" if verdict.reason else "True"
    reason = verdict.reason or "NoConflicts"
    message = verdict.message or "no conflicts found"
    said = None if accepted is None else (accepted.status, accepted.reason, accepted.message)
    if verdict.names == definition.status.accepted_names and said == (status, reason, message):
        return None
    new = evolve(definition, status=evolve(definition.status, accepted_names=verdict.names))
    new = with_condition(new, NAMES_ACCEPTED, status, reason, message, now_ns)
    return _with_installing(new, now_ns, is_accepted=not verdict.reason)


def _with_installing(
    definition: CustomResourceDefinition, now_ns: int, *, is_accepted: bool
) -> CustomResourceDefinition:
    """Established is False until the establishing controller says otherwise; once True it stays."""
    conditions = definition.status.conditions
    if is_true(conditions, ESTABLISHED):
        return definition
    if is_accepted:
        why = ("Installing", "the initial names have been accepted")
    elif get_condition(conditions, ESTABLISHED) is not None:
        return definition
    else:
        why = ("NotAccepted", "not all names are accepted")
    return with_condition(definition, ESTABLISHED, "False", *why, now_ns)


def established(definition: CustomResourceDefinition, now_ns: int) -> CustomResourceDefinition | None:
    """The definition established; None when it is already, or when its names are not accepted."""
    conditions = definition.status.conditions
    if not is_true(conditions, NAMES_ACCEPTED) or is_true(conditions, ESTABLISHED):
        return None
    message = "the initial names have been accepted"
    return with_condition(definition, ESTABLISHED, "True", "InitialNamesAccepted", message, now_ns)


def _in_use(group: str, definitions: Iterable[CustomResourceDefinition]) -> _InUse:
    taken = [one.status.accepted_names for one in definitions if one.spec.group == group]
    return _InUse(
        resources=frozenset([name for one in taken for name in (one.plural, one.singular, *one.short_names)]),
        kinds=frozenset([name for one in taken for name in (one.kind, one.list_kind)]),
    )


def _verdict(definition: CustomResourceDefinition, in_use: _InUse) -> _Verdict:
    wanted, had = definition.spec.names, definition.status.accepted_names
    names, reason, message = had, "", ""
    for attribute, why, taken in (
        ("plural", "PluralConflict", in_use.resources),
        ("singular", "SingularConflict", in_use.resources),
        ("short_names", "ShortNamesConflict", in_use.resources),
        ("kind", "KindConflict", in_use.kinds),
        ("list_kind", "ListKindConflict", in_use.kinds),
    ):
        problem = _conflict(getattr(wanted, attribute), getattr(had, attribute), taken)
        if problem:
            reason, message = why, problem
        else:
            names = evolve(names, **{attribute: getattr(wanted, attribute)})
    return _Verdict(names=evolve(names, categories=wanted.categories), reason=reason, message=message)


def _conflict(
    wanted: str | tuple[str, ...] | None, had: str | tuple[str, ...] | None, taken: frozenset[str | None]
) -> str:
    """Why it doesn't get this name; what it has already is its own."""
    if isinstance(wanted, tuple):
        own = had if isinstance(had, tuple) else ()
        problems = [f'"{name}" is already in use' for name in wanted if name not in own and name in taken]
        return problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]" if problems else ""
    return "" if wanted == had or wanted not in taken else f'"{wanted}" is already in use'
