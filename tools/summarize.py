"""Averages the metrics of several test runs: the command `ovdistill summarize`, with the same flags."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("summarize")
