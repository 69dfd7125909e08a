"""Admission: what looks at an object between its client and the store, and may change or refuse it.

One file a plug-in; `chain.py` has their order; `plugin.py` says what a plug-in is, `attributes.py` what it is told.
Called by `writes.py`: mutating plug-ins before an object is prepared and validated, validating ones inside the storage
transaction.
"""

from __future__ import annotations

from chaoskube.models.apiserver.admission.attributes import (
    CONNECT,
    CREATE,
    DELETE,
    UPDATE,
    Attributes,
    Target,
)
from chaoskube.models.apiserver.admission.chain import PLUGINS, Chain
from chaoskube.models.apiserver.admission.namespace_lifecycle import (
    IMMORTAL_NAMESPACES,
    SYSTEM_NAMESPACES,
    namespace_key,
)
from chaoskube.models.apiserver.admission.plugin import Plugin, synced

__all__ = [
    "CONNECT",
    "CREATE",
    "DELETE",
    "IMMORTAL_NAMESPACES",
    "PLUGINS",
    "SYSTEM_NAMESPACES",
    "UPDATE",
    "Attributes",
    "Chain",
    "Plugin",
    "Target",
    "namespace_key",
    "synced",
]
