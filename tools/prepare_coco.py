"""Checks COCO 2017 and writes OV-COCO's files: the command `ovdistill prepare-coco`, with the same flags."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("prepare-coco")
