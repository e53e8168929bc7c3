"""Check LVIS v1 and write its base annotations; the same as `ovdistill prepare-lvis`."""

from ovdistill.__main__ import main

if __name__ == "__main__":
    main("prepare-lvis")
