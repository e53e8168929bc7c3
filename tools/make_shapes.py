"""Draw the embedded benchmark; the same as `ovdistill make-ovshapes`."""

from ovdistill.__main__ import main

if __name__ == "__main__":
    main("make-ovshapes")
