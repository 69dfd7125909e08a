"""Holds the models against recordings of a real control plane: reader, player, comparer, story."""
