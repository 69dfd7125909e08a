"""What the etcd scenarios share: the cluster as a subject, clients, operations, menus."""
