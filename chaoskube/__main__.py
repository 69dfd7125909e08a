"""`python -m chaoskube` is the command `chaoskube`."""

from chaoskube.cli import main

if __name__ == "__main__":
    main()
