"""Work of the commands: send, check, resume, reconcile, receive and count."""
