"""Find what a text describes in images; the same as `ovdistill predict`."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("predict")
