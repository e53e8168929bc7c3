"""Writes PASCAL VOC in COCO's format: the command `ovdistill prepare-voc`, with the same flags."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("prepare-voc")
