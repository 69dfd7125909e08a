"""etcd: a revisioned key-value store on Raft, with leases and watches.

Pure: `mvcc`, `txn`, `lease`, `watch`, `state`. Shells: `member` (a process), `client` (on somebody else's process).
"""
