"""Train and test methods side by side; the same as `ovdistill compare`."""

from ovdistill.__main__ import main

if __name__ == "__main__":
    main("compare")
