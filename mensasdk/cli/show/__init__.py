"""Tables, progress and files of results."""
