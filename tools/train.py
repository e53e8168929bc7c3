"""Train a detector; the same as `ovdistill train`."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("train")
