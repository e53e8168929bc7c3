"""The command `python -m ovdistill`, the same as `ovdistill`."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main()
