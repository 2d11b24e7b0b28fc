"""Run the ``mensasdk`` command, as ``python -m mensasdk``."""

from mensasdk.cli import main

if __name__ == "__main__":
    main()
