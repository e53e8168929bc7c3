"""Measure base and novel AP of a detector; the same as `ovdistill test`."""

from ovdistill.__main__ import main

if __name__ == "__main__":
    main("test")
