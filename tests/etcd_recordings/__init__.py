"""What a real etcd answered, played against the simulated one."""
