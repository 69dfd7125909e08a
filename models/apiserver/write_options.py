"""The options of a write that may be wrong by themselves: who writes, and what becomes of unknown fields.

Sources: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go (ValidateCreateOptions,
ValidateUpdateOptions, ValidatePatchOptions, ValidateFieldManager, ValidateFieldValidation).

Called by `writes.py`, before anything is read.
Not modelled: these together with a wrong dryRun in one answer (`queries.py` refuses that first).
"""

from __future__ import annotations

from typing import Final

from chaoskube.models.apiserver.api import APPLY, CREATE, UPDATE, Cause, Request
from chaoskube.models.apiserver.errors import invalid
from chaoskube.models.objects.causes import go_text

FIELD_MANAGER_MAX: Final = 128
_FIELD_VALIDATIONS: Final = ("", "Ignore", "Strict", "Warn")
_KINDS: Final = {CREATE: "CreateOptions", UPDATE: "UpdateOptions"}


def check_write_options(request: Request) -> None:
    """422 for options that don't go together, or that don't exist."""
    causes = _of_patch(request) if request.patch_type else []
    if request.field_manager:
        causes += _of_manager(request.field_manager)
    if request.field_validation not in _FIELD_VALIDATIONS:
        supported = ", ".join([f'"{one}"' for one in _FIELD_VALIDATIONS])
        why = f'Unsupported value: "{request.field_validation}": supported values: {supported}'
        causes.append(Cause(reason="FieldValueNotSupported", message=why, field="fieldValidation"))
    if causes:
        raise invalid(_KINDS.get(request.verb, "PatchOptions"), "meta.k8s.io", "", causes)


def _of_patch(request: Request) -> list[Cause]:
    if request.patch_type == APPLY:
        if request.field_manager:
            return []
        return [_manager("FieldValueRequired", "Required value: is required for apply patch")]
    if not request.force:
        return []
    why = "Forbidden: may not be specified for non-apply patch"
    return [Cause(reason="FieldValueForbidden", message=why, field="force")]


def _of_manager(name: str) -> list[Cause]:
    causes = []
    if len(name.encode()) > FIELD_MANAGER_MAX:
        why = f"Too long: may not be more than {FIELD_MANAGER_MAX} bytes"
        causes.append(_manager("FieldValueTooLong", why))
    if name.isprintable():
        return causes
    place = 0
    for sign in name:
        if not sign.isprintable():
            text = f"invalid character U+{ord(sign):04X} (at position {place})"
            causes.append(_manager("FieldValueInvalid", f"Invalid value: {go_text(name)}: {text}"))
        place += len(sign.encode())
    return causes


def _manager(reason: str, message: str) -> Cause:
    return Cause(reason=reason, message=message, field="fieldManager")
