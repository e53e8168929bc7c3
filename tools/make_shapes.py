"""Draw the embedded benchmark; the same as `ovdistill make-ovshapes`."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("make-ovshapes")
