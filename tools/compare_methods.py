"""Trains and tests methods side by side: the command `ovdistill compare`, with the same flags."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("compare")
