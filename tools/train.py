"""Trains a detector: the command `ovdistill train`, with the same flags."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("train")
