"""What the scenario `api-machinery` is made of: a control plane without controllers, and clients as users write them."""
