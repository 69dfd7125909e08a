"""Which names, label keys and label values Kubernetes takes, and what it says of the others.

Source: staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go, pkg/api/validation/name.go.

Each function gives the messages; none means that the value is well.
"""

from __future__ import annotations

import re
from typing import Final

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE: Final = f"({_QUALIFIED})?"
_CONFIG_KEY: Final = "[-._a-zA-Z0-9]+"
_WILDCARD: Final = rf"\*\.{_SUBDOMAIN}"
_LABEL_1035: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
_PATH: Final = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_PERCENT: Final = "[0-9]+%"

_QUALIFIED_RULE: Final = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"


def _regex_error(rule: str, pattern: str, *examples: str) -> str:
    shown = ",  or ".join(f"'{example}'" for example in examples)
    return f"{rule} (e.g. {shown}, regex used for validation is '{pattern}')"


def dns_label(value: str) -> list[str]:
    """RFC 1123 label: containers, namespaces, Services."""
    found = ["must be no more than 63 bytes"] if len(value.encode()) > 63 else []
    if not re.fullmatch(_LABEL, value):
        rule = (
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
            "and end with an alphanumeric character"
        )
        found.append(_regex_error(rule, _LABEL, "my-name", "123-abc"))
    return found


def dns_subdomain(value: str) -> list[str]:
    """RFC 1123 subdomain: most objects."""
    found = ["must be no more than 253 characters"] if len(value) > 253 else []
    if not re.fullmatch(_SUBDOMAIN, value):
        rule = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
            "start and end with an alphanumeric character"
        )
        found.append(_regex_error(rule, _SUBDOMAIN, "example.com"))
    return found


def qualified_name(value: str) -> list[str]:
    """A label key: name, or prefix/name."""
    parts = value.split("/")
    if len(parts) > 2:
        rule = _regex_error(_QUALIFIED_RULE, _QUALIFIED, "MyName", "my.name", "123-abc")
        return [
            f"a valid label key {rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    found = []
    if len(parts) == 2:
        if not parts[0]:
            found.append("prefix part must be non-empty")
        else:
            found.extend(f"prefix part {message}" for message in dns_subdomain(parts[0]))
    name = parts[-1]
    if not name:
        found.append("name part must be non-empty")
    elif len(name.encode()) > 63:
        found.append("name part must be no more than 63 bytes")
    if not re.fullmatch(_QUALIFIED, name):
        found.append(f"name part {_regex_error(_QUALIFIED_RULE, _QUALIFIED, 'MyName', 'my.name', '123-abc')}")
    return found


def label_value(value: str) -> list[str]:
    """The value of a label."""
    found = ["must be no more than 63 bytes"] if len(value.encode()) > 63 else []
    if not re.fullmatch(_VALUE, value):
        rule = f"a valid label must be an empty string or consist of {_QUALIFIED_RULE.removeprefix('must consist of ')}"
        found.append(_regex_error(rule, _VALUE, "MyValue", "my_value", "12345"))
    return found


def config_key(value: str) -> list[str]:
    """A key of a ConfigMap."""
    found = ["must be no more than 253 bytes"] if len(value.encode()) > 253 else []
    if not re.fullmatch(_CONFIG_KEY, value):
        rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        found.append(_regex_error(rule, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    elif value in (".", "..") or value.startswith(".."):
        found.append(
            "must not be '.'"
            if value == "."
            else "must not be '..'"
            if value == ".."
            else "must not start with '..'"
        )
    return found


def percent(value: str) -> list[str]:
    """`25%`."""
    if re.fullmatch(_PERCENT, value):
        return []
    rule = "a valid percent string must be a numeric string followed by an ending '%'"
    return [_regex_error(rule, _PERCENT, "1%", "93%")]


def port_number(value: int) -> list[str]:
    """1 to 65535."""
    return [] if 1 <= value <= 65535 else ["must be between 1 and 65535, inclusive"]


def port_name(value: str) -> list[str]:
    """The name of a container's port."""
    found = []
    if len(value) > 15:
        found.append("must be no more than 15 characters")
    if not re.fullmatch("[-a-z0-9]+", value):
        found.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        found.append("must contain at least one letter (a-z)")
    if "--" in value:
        found.append("must not contain consecutive hyphens")
    if value[:1] == "-" or value[-1:] == "-":
        found.append("must not begin or end with a hyphen")
    return found


def path_segment(value: str) -> list[str]:
    """What can stand in a URL: names of roles, and of events."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{sign}'" for sign in ("/", "%") if sign in value]


def wildcard_subdomain(value: str) -> list[str]:
    """A subdomain whose first label is a star: hosts of an Ingress."""
    if re.fullmatch(_WILDCARD, value):
        return []
    rule = (
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
        "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
    )
    return [_regex_error(rule, _WILDCARD, "*.example.com")]


def dns1035_label(value: str) -> list[str]:
    """RFC 1035 label: it begins with a letter."""
    found = ["must be no more than 63 bytes"] if len(value.encode()) > 63 else []
    if not re.fullmatch(_LABEL_1035, value):
        rule = (
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
            "character, and end with an alphanumeric character"
        )
        found.append(_regex_error(rule, _LABEL_1035, "my-name", "abc-123"))
    return found


def domain_prefixed_path(value: str) -> list[str]:
    """`example.com/controller`: a domain and a path."""
    if not value:
        return [""]
    domain, slash, path = value.partition("/")
    if not slash or not domain or not path:
        return ['must be a domain-prefixed path (such as "acme.io/foo")']
    found = [f"{message}" for message in dns_subdomain(domain)]
    if not re.fullmatch(_PATH, path):
        found.append(f"Invalid path (regex used for validation is '{_PATH}')")
    return found
