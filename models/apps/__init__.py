"""What runs inside containers: models of applications."""
