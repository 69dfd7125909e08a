"""How a field of an object class stands in JSON: the few words the classes are declared with.

A class in this room is one Kubernetes struct. Its attributes are the fields the simulation acts on; what else
an object carries is in `extra`, under its JSON name. The codec reads names and kinds of values from the
annotations, so a class says only what deviates:

- optional strings and pointers are None when absent; lists are () and maps are empty when absent, numbers and
  booleans that Go holds by value are 0 and False when absent (Go's omitempty sees no difference either);
- `WRITTEN` marks a field that Go writes even when it is empty (no omitempty): null for a list or a time;
- `SHARED = True` in a class says that equal values repeat, and should be one (see sharing.py);
- `POINTER` marks a string held by pointer: "" is a value there, and written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, TypeAlias

Time: TypeAlias = Annotated[int, "time"]
"""metav1.Time: Unix nanoseconds, whole seconds in JSON."""
MicroTime: TypeAlias = Annotated[int, "micro"]
"""metav1.MicroTime: Unix nanoseconds, whole microseconds in JSON."""
IntOrString: TypeAlias = int | str

_ACRONYMS: Final[Mapping[str, str]] = {
    "ip": "IP",
    "ips": "IPs",
    "id": "ID",
    "cidr": "CIDR",
    "cidrs": "CIDRs",
    "urls": "URLs",
}


def json_name(attribute: str) -> str:
    """The JSON name of an attribute: pod_ip -> podIP, min_ready_seconds -> minReadySeconds, from_ -> from."""
    first, *rest = attribute.split("_")
    return first + "".join(_ACRONYMS.get(part) or part.capitalize() for part in rest)


WRITTEN: Final[Mapping[str, bool]] = {"written": True}
"""Metadata of a field that is written even when it is empty."""
POINTER: Final[Mapping[str, bool]] = {"pointer": True}
"""Metadata of a string held by pointer: None is absent, "" is a value."""
