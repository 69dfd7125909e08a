"""The annotation in which client-side apply keeps what it applied last.

Its value is the document as JSON with sorted keys, without the annotation itself, and with a newline at its end; Go
writes `<`, `>` and `&` as escapes. The document's annotations stand in it even when there are none.

Source: staging/src/k8s.io/kubectl/pkg/util/apply.go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chaoskube.models.kubectl.session import CommandFailed, at
from chaoskube.models.objects import thaw
from chaoskube.models.objects.frozen import Tree

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def configuration(document: Mapping[str, Any]) -> str:
    """What is kept of a document."""
    bare = with_annotation(document, None)
    text = json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text + "\n"


def annotated(document: Mapping[str, Any]) -> Tree:
    """The document, with what is kept of it in its annotations."""
    return with_annotation(document, configuration(document))


def with_annotation(document: Mapping[str, Any], value: str | None) -> Tree:
    """The document with this value of the annotation, or without it."""
    tree: Tree = thaw(document)
    metadata = tree.setdefault("metadata", {})
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(LAST_APPLIED, None)
    if value is not None:
        annotations[LAST_APPLIED] = value
    metadata["annotations"] = annotations
    return tree


def original(live: Mapping[str, Any]) -> Tree:
    """What was applied last; {} when nothing was."""
    text = at(live, "metadata", "annotations", LAST_APPLIED)
    if not text:
        return {}
    try:
        tree: Tree = json.loads(text)
    except ValueError as error:
        raise CommandFailed(f"the annotation {LAST_APPLIED} holds no JSON: {error}") from error
    return tree


def has_annotation(live: Mapping[str, Any]) -> bool:
    """Whether client-side apply made it."""
    return LAST_APPLIED in (at(live, "metadata", "annotations") or {})
