"""The API server: the only door to etcd, several servers, each with its own watch caches."""
