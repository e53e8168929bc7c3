"""`python -m ovdistill` is the command `ovdistill`."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main()
