"""Check LVIS v1 and write its base annotations; the same as `ovdistill prepare-lvis`."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("prepare-lvis")
