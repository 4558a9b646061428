"""Desks: where agents work. One folder each; no folder imports another."""
