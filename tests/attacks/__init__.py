"""Attacks on the deployed product: each was successful once, and must not be again."""
