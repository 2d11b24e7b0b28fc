"""The version, in one place: the build reads it, and so does the User-Agent."""

__version__ = "0.1.0"
