"""Train a detector; the same as `ovdistill train`."""

from ovdistill.__main__ import main

if __name__ == "__main__":
    main("train")
