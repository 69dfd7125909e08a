"""The formats of text that schemas of custom resources may ask for; any other name is ignored.

Sources: k8s.io/kube-openapi/pkg/validation/strfmt/{default,date,time,duration,kubernetes-extensions}.go,
staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/validation/formats.go.

Called by validation.py. Not modelled: credit cards, social security and book numbers, and colours (taken as they are);
addresses and mail addresses are judged by shape, not by every rule of their RFCs.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv6Address, NetmaskValueError, ip_interface
from typing import Final
from urllib.parse import urlsplit

from chaoskube.models.objects.times import parse_time
from chaoskube.sim import UsageError

_LABEL: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_UUID: Final = r"(?i)[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{}[0-9a-f]{{3}}-?{}[0-9a-f]{{3}}-?[0-9a-f]{{12}}"


def is_format(text: str, name: str) -> bool:
    """Whether `text` is what the format asks for; formats that nobody knows ask for nothing."""
    test = _FORMATS.get(name.replace("-", "") if not name.startswith("k8s-") else name)
    return test is None or test(text)


def _matches(pattern: str, length_max: int | None = None) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: bool(compiled.fullmatch(text)) and (length_max is None or len(text) <= length_max)


def _is_read_by(read: Callable[[str], object]) -> Callable[[str], bool]:
    def test(text: str) -> bool:
        try:
            read(text)
        except (ValueError, UsageError, AddressValueError, NetmaskValueError, binascii.Error):
            return False
        return True

    return test


def _uri(text: str) -> None:
    """Go's url.ParseRequestURI: absolute, or a path from the root."""
    parts = urlsplit(text)
    if not text or (not parts.scheme and not text.startswith("/")) or any(sign in text for sign in " \t\n"):
        raise ValueError(text)


def _cidr(text: str) -> None:
    if "/" not in text:
        raise ValueError(text)
    ip_interface(text)


_FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "bsonobjectid": _matches(r"[0-9a-fA-F]{24}"),
    "uri": _is_read_by(_uri),
    "email": _matches(r"[^@\s]+@[^@\s]+"),
    "hostname": _matches(
        r"(?i)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\.?", 255
    ),
    "ipv4": _is_read_by(IPv4Address),
    "ipv6": _is_read_by(IPv6Address),
    "cidr": _is_read_by(_cidr),
    "mac": _matches(r"(?i)([0-9a-f]{2}[:-]){5}([0-9a-f]{2})"),
    "uuid": _matches(_UUID.format("[0-9a-f]", "[0-9a-f]")),
    "uuid3": _matches(_UUID.format("3", "[0-9a-f]")),
    "uuid4": _matches(_UUID.format("4", "[89ab]")),
    "uuid5": _matches(_UUID.format("5", "[89ab]")),
    "byte": _is_read_by(lambda text: base64.b64decode(text, validate=True)),
    "date": _matches(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"),
    "datetime": _is_read_by(parse_time),
    "duration": _matches(r"[-+]?(\d+(\.\d*)?\s*(ns|us|µs|μs|ms|s|m|h|d|w|[a-z]+)\s*)+|0"),
    "k8s-short-name": _matches(_LABEL, 63),
    "k8s-long-name": _matches(rf"{_LABEL}(\.{_LABEL})*", 253),
}
