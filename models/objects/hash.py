"""The hash of a pod template, by which a ReplicaSet is named.

Source: pkg/controller/controller_utils.go ComputeHash, staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go
SafeEncodeString. The real one hashes Go's dump of the struct; this one hashes the template's JSON with sorted keys,
so equal templates have equal hashes, but not the real ones.
"""

from __future__ import annotations

import json
from typing import Final

from chaoskube.models.objects.codec import encode
from chaoskube.models.objects.pod import PodTemplateSpec

_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"


def template_hash(template: PodTemplateSpec, collision_count: int | None = None) -> str:
    """The pod-template-hash of a template; each collision counted gives another one."""
    text = json.dumps(encode(template), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    data = text.encode()
    if collision_count is not None:
        data += collision_count.to_bytes(8, "little")
    return safe_encode(str(fnv32a(data)))


def fnv32a(data: bytes) -> int:
    """FNV-1a with 32 bits."""
    value = 2166136261
    for byte in data:
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def safe_encode(text: str) -> str:
    """`text` in letters that spell nothing rude."""
    return "".join(_ALPHABET[ord(letter) % len(_ALPHABET)] for letter in text)
