"""A small interpreter of CEL, the language of x-kubernetes-validations: `parse` makes a tree, `evaluate` its value.

Source: the language definition (github.com/google/cel-spec, doc/langdef.md), and what Kubernetes adds to it.

Called by the rules of structural schemas.
Not modelled: static types and costs (an expression that a real server refuses to compile fails here when it is evaluated, or
never), optional values, unsigned numbers, bytes, times, quantities, addresses and URLs.
"""

from chaoskube.models.objects.structural.cel.evaluation import evaluate
from chaoskube.models.objects.structural.cel.parser import parse
from chaoskube.models.objects.structural.cel.syntax import CelError, NotModelled

__all__ = ["CelError", "NotModelled", "evaluate", "parse"]
