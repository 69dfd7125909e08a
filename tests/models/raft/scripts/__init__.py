"""Etcd's own Raft scripts, played on our core."""
