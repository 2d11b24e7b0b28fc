"""Every fault, for each kind of call of each vendor, over real sockets; and the table of what they come to."""
