"""Average the metrics of several test runs; the same as `ovdistill summarize`."""

from ovdistill.__main__ import main

if __name__ == "__main__":
    main("summarize")
