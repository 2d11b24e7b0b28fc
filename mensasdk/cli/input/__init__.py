"""What a person gives the command: options, lists and credentials, checked before anything is sent."""
