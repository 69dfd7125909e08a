"""What every component that talks to an API server stands on: client, informer, work queue, leases."""
