"""Check COCO 2017 and write OV-COCO's files; the same as `ovdistill prepare-coco`."""

from ovdistill.__main__ import main

if __name__ == "__main__":
    main("prepare-coco")
