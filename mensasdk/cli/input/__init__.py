"""Read options, lists and credentials, and check them before anything is sent."""
