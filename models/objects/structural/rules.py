"""x-kubernetes-validations: the rules in a schema that a value breaks, with the words of the real server. Pure.

A rule that looks at `oldSelf` is only asked where an older value corresponds; any other may be broken by a part that has not
changed. A rule that the small interpreter of CEL cannot read, or that needs what it doesn't know, is told apart: nobody can
say whether it holds, so it refuses nothing.

Source: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go.

Called by the API server for custom objects, once their shape is right.
Not modelled: optionalOldSelf (such a rule is told apart, too), budgets of cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from chaoskube.models.objects.causes import Cause, duplicate, forbidden, invalid, required
from chaoskube.models.objects.frozen import EMPTY
from chaoskube.models.objects.structural.cel import CelError, NotModelled, evaluate, parse
from chaoskube.models.objects.structural.cel.syntax import Expression
from chaoskube.models.objects.structural.coercion import Schema, values_of
from chaoskube.models.objects.structural.equality import same
from chaoskube.models.objects.structural.validation import ABSENT, NOWHERE

RULES = "x-kubernetes-validations"


@frozen(kw_only=True)
class Verdict:
    """What the rules say: what is broken, and which rules nobody could ask."""

    broken: tuple[Cause, ...] = ()
    unknown: tuple[str, ...] = ()


@frozen(kw_only=True)
class _Node:
    """A value in its place, with its schema and its older version."""

    value: object
    schema: Schema
    old: object
    path: str


def broken_rules(value: object, schema: Schema, *, old: object = ABSENT) -> Verdict:
    """Ask every rule of the schema."""
    broken: list[Cause] = []
    unknown: list[str] = []
    for node in _nodes(_Node(value=value, schema=schema, old=old, path="")):
        for rule in node.schema.get(RULES) or ():
            try:
                cause = _asked(rule, node)
            except NotModelled as why:
                unknown.append(f"rule {rule['rule']!r} at {node.path or 'the root'} is not checked: {why}")
            else:
                broken += [] if cause is None else [cause]
    return Verdict(broken=tuple(broken), unknown=tuple(unknown))


def _nodes(node: _Node) -> Iterator[_Node]:
    """The value and all below it, as far as the schema goes; what is null has no rules."""
    if node.value is None:
        return
    yield node
    for inner in node.schema.get("allOf") or ():
        yield from _nodes(_Node(value=node.value, schema=inner, old=node.old, path=node.path))
    if isinstance(node.value, Mapping):
        yield from _fields(node, node.value)
    elif isinstance(node.value, (list, tuple)) and node.schema.get("items") is not None:
        for index, item in enumerate(node.value):
            old = _old_item(item, node)
            yield from _nodes(
                _Node(value=item, schema=node.schema["items"], old=old, path=f"{node.path}[{index}]")
            )


def _fields(node: _Node, value: Mapping[str, Any]) -> Iterator[_Node]:
    properties, others = node.schema.get("properties") or EMPTY, values_of(node.schema)
    for name in sorted(value):
        old = node.old[name] if isinstance(node.old, Mapping) and name in node.old else ABSENT
        if name in properties:
            path = f"{node.path}.{name}" if node.path else name
            yield from _nodes(_Node(value=value[name], schema=properties[name], old=old, path=path))
        elif others is not None:
            yield from _nodes(_Node(value=value[name], schema=others, old=old, path=f"{node.path}[{name}]"))


def _old_item(item: object, node: _Node) -> object:
    keys = node.schema.get("x-kubernetes-list-map-keys") or ()
    if node.schema.get("x-kubernetes-list-type") != "map" or not isinstance(item, Mapping):
        return ABSENT
    for one in node.old if isinstance(node.old, (list, tuple)) else ():
        if isinstance(one, Mapping) and all(same(one.get(key), item.get(key)) for key in keys):
            return one
    return ABSENT


# ---- one rule


def _asked(rule: Mapping[str, Any], node: _Node) -> Cause | None:
    if rule.get("optionalOldSelf"):
        raise NotModelled("optionalOldSelf")
    said = (rule.get("message") or rule["rule"]).strip()
    kind = str(node.schema.get("type", ""))
    try:
        tree = parse(rule["rule"])
        is_transition = _names_old_self(tree)
        if is_transition and node.old in (ABSENT, None):
            return None
        if evaluate(tree, _variables(node)) is True:
            return None
    except NotModelled:
        raise
    except CelError as error:
        if str(error) == "no such overload":
            why = f"'{error}': call arguments did not match a supported operator, function or macro signature for rule: {said}"
            return invalid(node.path or NOWHERE, kind, why)
        return invalid(node.path or NOWHERE, kind, f"{error} evaluating rule: {said}")
    if not is_transition and node.old is not ABSENT and same(node.value, node.old):
        return None
    return _refusal(rule, node, kind)


def _variables(node: _Node) -> dict[str, object]:
    variables: dict[str, object] = {"self": node.value}
    if node.old is not ABSENT and node.old is not None:
        variables["oldSelf"] = node.old
    return variables


def _names_old_self(tree: Expression) -> bool:
    """Whether a rule is about a change. (The text of the tree names each variable in quotes.)"""
    return "Name(name='oldSelf')" in repr(tree)


def _refusal(rule: Mapping[str, Any], node: _Node, kind: str) -> Cause:
    where = f"{node.path}{rule.get('fieldPath') or ''}".removeprefix(".") or NOWHERE
    detail = _message(rule, node)
    reason = rule.get("reason")
    if reason == "FieldValueForbidden":
        return forbidden(where, detail)
    if reason == "FieldValueRequired":
        return required(where, detail)
    if reason == "FieldValueDuplicate":
        return duplicate(where, node.value)
    if kind in ("object", "array"):
        return Cause(field=where, reason="FieldValueInvalid", message=f"Invalid value: {detail}")
    return invalid(where, node.value, detail)


def _message(rule: Mapping[str, Any], node: _Node) -> str:
    if rule.get("messageExpression"):
        try:
            found = evaluate(parse(rule["messageExpression"]), _variables(node))
        except CelError:
            found = None
        if isinstance(found, str) and found.strip() and "\n" not in found:
            return found
    if rule.get("message"):
        return str(rule["message"]).strip()
    return f"failed rule: {str(rule['rule']).strip()}"
