"""Raft, in etcd's vocabulary: a pure core (`core.Raft`) that takes messages and ticks and answers with `Ready`."""
