"""Custom resources in an API server: definitions, the resources they add, and the objects in these."""
