"""The Service network: rules of each node, kube-proxy that writes them, and clients that use them."""
