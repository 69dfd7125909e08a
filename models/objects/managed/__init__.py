"""Who manages which field of an object: field sets, merging by schema, and the rules of server-side apply.

From the ground up: `field_set` (sets of paths), `shapes` (what the schema says of a value: scalar, mapping or list, owned
whole or in parts), `comparing` and `merging` (two trees of one shape), `managers` (an object's list of managers, worked
out only when somebody reads it), `updating` (a write takes ownership), `applying` (server-side apply).
Source: sigs.k8s.io/structured-merge-diff, staging/src/k8s.io/apimachinery/pkg/util/managedfields.

Called by the API server's writes; the codec reads and writes metadata.managedFields.
"""
