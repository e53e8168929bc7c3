"""Finds what a text describes in images: the command `ovdistill predict`, with the same flags."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("predict")
