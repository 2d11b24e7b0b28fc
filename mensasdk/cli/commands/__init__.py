"""The commands, one file each. Nobody but `app` imports them."""
