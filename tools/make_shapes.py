"""Draws the embedded benchmark: the command `ovdistill make-ovshapes`, with the same flags."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("make-ovshapes")
