"""MensatekClient over real sockets."""
