"""Toy systems, in a package of their own so that an entry point can name it."""
