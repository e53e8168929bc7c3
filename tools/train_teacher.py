"""Trains the embedded benchmark's teacher: the command `ovdistill train-teacher`, with the same flags."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("train-teacher")
