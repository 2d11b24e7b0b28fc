"""``python -m mensasdk`` is the ``mensasdk`` command."""

from mensasdk.cli import main

if __name__ == "__main__":
    main()
