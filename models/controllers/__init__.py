"""The controllers of kube-controller-manager, one file each, found by `@controller`."""
