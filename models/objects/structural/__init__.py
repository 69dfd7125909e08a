"""Structural schemas: what the schemas of CustomResourceDefinitions do to custom objects.

A schema is the JSON under `openAPIV3Schema`, as the definition has it (frozen); values are plain JSON trees. `coercion.py`
drops what a schema doesn't know and fills in defaults, `validation.py` says what is wrong with a value (`lists.py`: sets and
maps; `formats.py`: formats of text), `rules.py` evaluates x-kubernetes-validations (with `cel/`, a small interpreter), and
`structure.py` says whether a schema is structural at all.

Called by the API server's custom resources alone.
"""

from chaoskube.models.objects.structural.coercion import pruned, with_defaults, without_nulls
from chaoskube.models.objects.structural.rules import broken_rules
from chaoskube.models.objects.structural.structure import schema_problems
from chaoskube.models.objects.structural.validation import validate

__all__ = ["broken_rules", "pruned", "schema_problems", "validate", "with_defaults", "without_nulls"]
