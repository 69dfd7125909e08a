"""A node: kubelet, container runtime, and their decisions."""
