"""Nodes A and B: they carry payments, and compute on shares whether these may pass."""
