"""The options of lists and watches: which may go together, and resource versions as numbers.

Sources: staging/src/k8s.io/apimachinery/pkg/apis/meta/internalversion/validation/validation.go,
staging/src/k8s.io/apiserver/pkg/storage/api_object_versioner.go (ParseResourceVersion).

Called by `reads.py` and `watches.py`. Not modelled: `sendInitialEvents=false` said aloud.
"""

from __future__ import annotations

from chaoskube.models.apiserver.api import EXACT, NOT_OLDER_THAN, Cause, ListOptions
from chaoskube.models.apiserver.errors import invalid

VERSION_MAX = 2**64 - 1
_MATCH = "resourceVersionMatch"


def parse_version(text: str) -> int:
    """A resource version as a number; "" is 0. ValueError with the server's words for anything else."""
    if not text:
        return 0
    why = "invalid syntax"
    if text.isascii() and text.isdecimal():
        if (version := int(text)) <= VERSION_MAX:
            return version
        why = "value out of range"
    raise ValueError(f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": {why}')


def check_list_options(options: ListOptions) -> None:
    """422 for what may not go together in a list."""
    causes = []
    match = options.resource_version_match
    if match:
        if not options.resource_version:
            causes.append(_forbidden(_MATCH, f"{_MATCH} is forbidden unless resourceVersion is provided"))
        if options.continue_token:
            causes.append(_forbidden(_MATCH, f"{_MATCH} is forbidden when continue is provided"))
        if match not in (EXACT, NOT_OLDER_THAN):
            causes.append(_unsupported(match, f'"{EXACT}", "{NOT_OLDER_THAN}", ""'))
        if match == EXACT and options.resource_version == "0":
            causes.append(
                _forbidden(_MATCH, f'{_MATCH} "exact" is forbidden for resourceVersion "0"'),
            )
    if options.send_initial_events or options.begin_now:
        causes.append(_forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    _refuse(causes)


def check_watch_options(options: ListOptions) -> None:
    """422 for what may not go together in a watch."""
    causes = []
    match = options.resource_version_match
    if options.send_initial_events or options.begin_now:
        if match != NOT_OLDER_THAN:
            why = f"sendInitialEvents requires setting {_MATCH} to {NOT_OLDER_THAN}"
            causes.append(_forbidden(_MATCH, why))
    elif match:
        why = f"{_MATCH} is forbidden for watch unless sendInitialEvents is provided"
        causes.append(_forbidden(_MATCH, why))
    if match:
        if match != NOT_OLDER_THAN:
            causes.append(_unsupported(match, f'"{NOT_OLDER_THAN}"'))
        if options.continue_token:
            causes.append(_forbidden(_MATCH, f"{_MATCH} is forbidden when continue is provided"))
    _refuse(causes)


def _refuse(causes: list[Cause]) -> None:
    if causes:
        raise invalid("ListOptions", "meta.k8s.io", "", causes)


def _forbidden(field: str, why: str) -> Cause:
    return Cause(reason="FieldValueForbidden", message=f"Forbidden: {why}", field=field)


def _unsupported(match: str, supported: str) -> Cause:
    why = f'Unsupported value: "{match}": supported values: {supported}'
    return Cause(reason="FieldValueNotSupported", message=why, field=_MATCH)
