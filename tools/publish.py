"""Pack a trained detector to hand out; the same as `ovdistill publish`."""

from ovdistill.__main__ import main

if __name__ == "__main__":
    main("publish")
