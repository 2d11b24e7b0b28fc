"""The demonstrations: a campaign through all vendors, and one whose process is killed."""
