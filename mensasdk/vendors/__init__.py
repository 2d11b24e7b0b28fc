"""Clients of the vendors. Each vendor has a package of its own, which imports nothing from the other vendors."""
