"""The vendors' clients. Each stands in a room of its own and knows nothing of the others."""
