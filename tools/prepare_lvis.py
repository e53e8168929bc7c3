"""Checks LVIS v1 and writes its base annotations: the command `ovdistill prepare-lvis`, with the same flags."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("prepare-lvis")
