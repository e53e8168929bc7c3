"""What a reader is to the fuzzer: seeds, mutations, and the call that must not go wrong.

An input is a few small files: name in the input's folder -> content. What is no file by nature
(a text of ``--cfg-options``, an environment variable) is kept in one, so that it can be looked at.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import ClassVar

Files = Mapping[str, bytes]
MEGABYTE = 2**20


class Reader(ABC):
    """One reader of the package.

    Attributes:
        name: its name on the command line and in the report.
        memory: how many bytes one input may cost at most, beside what the process has already.
    """

    name: ClassVar[str]
    memory: ClassVar[int] = 1024 * MEGABYTE

    @abstractmethod
    def seeds(self) -> Sequence[Files]:
        """Return inputs that the reader accepts."""

    @abstractmethod
    def mutate(self, files: Files, rng: Random) -> Files:
        """Return a changed input."""

    @abstractmethod
    def read(self, folder: Path) -> None:
        """Read an input and use what it gave, as the package does.

        Args:
            folder: has the files of the input.

        Raises:
            UserError: the input is refused.
            Exception: anything else is a fault of the package.
        """


def generate(reader: Reader, seeds: Sequence[Files], seed: int, number: int) -> Files:
    """Return an input; the same arguments give the same one.

    Args:
        reader: mutates it.
        seeds: the reader's seeds.
        seed: of the campaign.
        number: of the input.
    """
    rng = Random(f"{seed} {reader.name} {number}")
    return reader.mutate(rng.choice(seeds), rng)


def change_one(files: Files, rng: Random) -> tuple[dict[str, bytes], str]:
    """Return a copy of an input, and the name of a file in it that is to be changed.

    Args:
        files: the input.
        rng: chooses the file.
    """
    return dict(files), rng.choice([*files])


def write_files(folder: Path, files: Files) -> None:
    """Write the files of an input into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        if "/" in name:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def text_of(folder: Path, name: str = "input.txt") -> str:
    """Return the text of an input that is no file by nature, such as words of a command line."""
    # as Python decodes the words of a command line
    return (folder / name).read_bytes().decode("utf-8", "surrogateescape")
