"""Measures base and novel AP of a detector: the command `ovdistill test`, with the same flags."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("test")
