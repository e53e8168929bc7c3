"""Average the metrics of several test runs; the same as `ovdistill summarize`."""

from ovdistill.commands.main import main

if __name__ == "__main__":
    main("summarize")
