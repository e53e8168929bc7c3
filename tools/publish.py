"""Pack a trained detector to hand out; the same as `ovdistill publish`."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("publish")
