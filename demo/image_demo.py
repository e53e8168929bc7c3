"""Find what a text describes in images; the same as `ovdistill predict`."""

from ovdistill.__main__ import main

if __name__ == "__main__":
    main("predict")
