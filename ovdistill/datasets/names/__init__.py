"""Class names: of a data set that is known by name, or from a file in one of several formats."""

from ovdistill.datasets.names.reader import (
    find_names,
    names_of_annotations,
    read_names,
    read_text,
)

__all__ = ["find_names", "names_of_annotations", "read_names", "read_text"]
