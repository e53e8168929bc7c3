"""Packs a trained detector to hand out: the command `ovdistill publish`, with the same flags."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("publish")
