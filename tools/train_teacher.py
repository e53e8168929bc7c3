"""Train the embedded benchmark's teacher; the same as `ovdistill train-teacher`."""

from ovdistill.__main__ import main

if __name__ == "__main__":
    main("train-teacher")
