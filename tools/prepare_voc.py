"""Write PASCAL VOC in COCO's format; the same as `ovdistill prepare-voc`."""

from ovdistill.__main__ import main

if __name__ == "__main__":
    main("prepare-voc")
