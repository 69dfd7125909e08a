"""Histories that others recorded, with the verdicts that are known of them."""
