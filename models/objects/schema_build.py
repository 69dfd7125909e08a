"""Makes schema.json.gz and resources.json from what a real API server serves; run by hand, for a new Kubernetes.

    python -m chaoskube.models.objects.schema_build FOLDER

FOLDER holds the answers of an API server, gzipped: openapi_v2.json.gz (/openapi/v2), openapi_v3_*.json.gz
(/openapi/v3/..., for the defaults of fields that lists merge by), api_v1.json.gz (/api/v1) and
apis_GROUP_VERSION.json.gz (/apis/GROUP/VERSION). The same answers give the same bytes.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

# Where etcd keeps what isn't kept under /registry/PLURAL (pkg/controlplane/storageversionhashdata, pkg/kubeapiserver/
# default_storage_factory_builder.go SpecialDefaultResourcePrefixes).
_PREFIXES = {
    ("", "replicationcontrollers"): "controllers",
    ("", "endpoints"): "services/endpoints",
    ("", "services"): "services/specs",
    ("", "nodes"): "minions",
    ("networking.k8s.io", "ingresses"): "ingress",
    ("apiregistration.k8s.io", "apiservices"): "apiregistration.k8s.io/apiservices",
    ("apiextensions.k8s.io", "customresourcedefinitions"): "apiextensions.k8s.io/customresourcedefinitions",
}


def main(folder: Path) -> None:
    """Write both files beside this one."""
    here = Path(__file__).parent
    text = json.dumps(schema_of(folder), sort_keys=True, separators=(",", ":"))
    (here / "schema.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    lists = [_read(path) for path in sorted(folder.glob("api*_*.json.gz"))]
    rows = sorted(
        row for answer in lists if answer.get("kind") == "APIResourceList" for row in build_resources(answer)
    )
    (here / "resources.json").write_text("[\n" + ",\n".join(rows) + "\n]\n")


def schema_of(folder: Path) -> dict[str, Any]:
    """What the folder's OpenAPI documents say of every kind."""
    schema = build_schema(_read(folder / "openapi_v2.json.gz")["definitions"])
    for path in sorted(folder.glob("openapi_v3_*.json.gz")):
        schemas = _read(path).get("components", {}).get("schemas", {})
        add_key_defaults(schema["structs"], schemas)
        mark_held_by_value(schema["structs"], schemas)
    return schema


def build_schema(definitions: dict[str, Any]) -> dict[str, Any]:
    """Kinds and structs with short names: what a value may be, what is required, how lists merge."""
    structs: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    for name, definition in definitions.items():
        for identity in definition.get("x-kubernetes-group-version-kind", ()):
            group, version, kind = identity["group"], identity["version"], identity["kind"]
            if len(definition["x-kubernetes-group-version-kind"]) == 1 and "ListMeta" not in json.dumps(
                definition.get("properties", {}).get("metadata", {})
            ):
                kinds[f"{group}/{version}/{kind}" if group else f"{version}/{kind}"] = name
        if "properties" in definition:
            structs[name] = {
                "properties": {
                    key: _property(value, definitions) for key, value in definition["properties"].items()
                },
                "required": sorted(definition.get("required", ())),
            }
            if "x-kubernetes-map-type" in definition:
                structs[name]["map_type"] = definition["x-kubernetes-map-type"]
    return {"kinds": kinds, "structs": structs}


def add_key_defaults(structs: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Write the default of each field that a list merges by into the struct of the list's items."""
    for struct in structs.values():
        for found in struct["properties"].values():
            item = found.get("items", {}).get("struct")
            for key in found.get("map_keys", ()) if item in schemas else ():
                default = schemas[item]["properties"].get(key, {}).get("default")
                if default is not None:
                    structs[item]["properties"][key]["default"] = default


def mark_held_by_value(structs: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Mark the fields whose struct Go holds by value: they are always there, if empty."""
    for name in schemas.keys() & structs.keys():
        for field, found in structs[name]["properties"].items():
            if "struct" in found and schemas[name]["properties"].get(field, {}).get("default") == {}:
                found["by_value"] = True


def _property(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    result = _kind_of_value(schema, definitions)
    for long, short in (
        ("x-kubernetes-patch-merge-key", "merge_key"),
        ("x-kubernetes-patch-strategy", "strategy"),
        ("x-kubernetes-list-type", "list_type"),
        ("x-kubernetes-list-map-keys", "map_keys"),
        ("x-kubernetes-map-type", "map_type"),
    ):
        if long in schema:
            result[short] = schema[long]
    return result


def _kind_of_value(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        target = definitions[name]
        if "properties" in target:
            return {"struct": name}
        if name.endswith(".Quantity"):
            return {"type": "quantity"}
        return _kind_of_value(target, definitions)
    kind = schema.get("type")
    if schema.get("format") == "int-or-string":
        return {"type": "int-or-string"}
    if kind == "array":
        return {"items": _property(schema["items"], definitions)}
    if kind == "object" and "additionalProperties" in schema:
        return {"values": _property(schema["additionalProperties"], definitions)}
    if kind == "object" or kind is None:
        return {"type": "any"}
    return {
        "type": schema["format"] if schema.get("format") in ("date-time", "int32", "int64", "byte") else kind
    }


def build_resources(answer: dict[str, Any]) -> list[str]:
    """One line of JSON for each resource of an APIResourceList; subresources become flags."""
    group = answer["groupVersion"].rpartition("/")[0]
    names = {resource["name"] for resource in answer["resources"]}
    rows = []
    for resource in answer["resources"]:
        plural = resource["name"]
        if "/" in plural:
            continue
        row = {
            "plural": plural,
            "kind": resource["kind"],
            "api_version": answer["groupVersion"],
            "namespaced": resource["namespaced"],
            "graceful": (group, plural) == ("", "pods"),
            "has_status": f"{plural}/status" in names,
            "has_scale": f"{plural}/scale" in names,
            "storage_prefix": _PREFIXES.get((group, plural), plural),
            "verbs": resource["verbs"],
            "short_names": resource.get("shortNames", []),
        }
        rows.append(json.dumps(row))
    return rows


def _read(path: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return result


if __name__ == "__main__":
    main(Path(sys.argv[1]))
