"""What comes from the shell: words, ``--cfg-options``, environment variables."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

from ovdistill.commands.command_table import COMMANDS
from ovdistill.commands.main import parse
from ovdistill.commands.options import ConfigOptions
from ovdistill.core.assets import STUDENT_CONFIG
from ovdistill.core.distributed import RANK_VARIABLES, ranks_of
from ovdistill.core.errors import UserError
from ovdistill.models.config import load_config

from ..mutate_json import NUMBERS, TEXTS
from ..mutate_text import mutate_text
from ..reader import Files, Reader, text_of

NAME = "input.txt"
PIECES = (
    *(
        "a=1",
        "model.roi_head.x.0=5",
        "test_pipeline.1.scale=(1,2)",
        "test_pipeline.9.x=1",
        "a..b=1",
        "=1",
    ),
    *("model.type.x=1", "a=[1,[2,3]", "a=(", "a=[[[[", "a='x", 'a="[1,2]"', "a=1e400", "a=None"),
    *(
        "a=[" + "[" * 3000,
        "model=5",
        "model.neck=None",
        "test_pipeline=[]",
        "_base_=x.py",
        "a={b:1}",
    ),
    *(
        "custom_imports.imports=os",
        "model._delete_=True",
        "a.b.c.d=1",
        "test_pipeline.-1.x=2",
        "a=__a",
    ),
    *("a=__import__('os').system('touch ran-code')", "data_root={split}", "split={data_root}"),
)


class ConfigOptionsReader(Reader):
    """``--cfg-options``: parsed, and merged into a config."""

    name = "cfg-options"

    def seeds(self) -> Sequence[Files]:
        """Return words, one a line, that fit the config."""
        lines = (b"a=1", b"model.neck.x=5", b"test_pipeline.1.scale=(1,2)", b"model.type='E'")
        return [{NAME: b"\n".join(lines)}, {NAME: lines[2]}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change the words."""
        return {NAME: mutate_text(files[NAME], rng, PIECES)}

    def read(self, folder: Path) -> None:
        """Merge the words into the config."""
        words = tuple(text_of(folder).split("\n"))
        with refusal_of_argparse():
            overrides = ConfigOptions(cfg_options=words).overrides
        load_config(STUDENT_CONFIG, overrides).to_dict()


class EnvironmentReader(Reader):
    """``ranks_of``: what a launcher sets."""

    name = "environment"

    def seeds(self) -> Sequence[Files]:
        """Return a launcher's name and the values of its variables, one a line."""
        return [{NAME: f"{launcher}\n0\n2\n0".encode()} for launcher in RANK_VARIABLES]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change launcher or values."""
        lines = files[NAME].decode().split("\n")
        for _ in range(rng.choice((1, 1, 2))):
            value = str(rng.choice((*NUMBERS, *TEXTS))).replace("\x00", "").replace("\n", " ")
            lines[rng.randrange(len(lines))] = rng.choice((value, "1", "1_0", " 1 ", "٣", "+1"))
        return {NAME: "\n".join(lines).encode()}

    def read(self, folder: Path) -> None:
        """Read the variables."""
        launcher, *values = text_of(folder).split("\n")
        names = RANK_VARIABLES.get(launcher, ())
        before = dict(os.environ)
        os.environ.update(zip(names, values, strict=False))
        try:
            rank, world_size, local_rank = ranks_of(launcher)
        finally:
            os.environ.clear()
            os.environ.update(before)
        assert 0 <= rank < world_size and local_rank >= 0, (rank, world_size, local_rank)


class WordsReader(Reader):
    """The words of a command line, as far as they are parsed."""

    name = "words"

    def seeds(self) -> Sequence[Files]:
        """Return command lines, a word a line."""
        return [
            {NAME: line.replace(" ", "\n").encode()}
            for line in (
                "train vild_r18_shapes --seed 1 --cfg-options a=1",
                "test vild_r18_shapes a.pth --subset val -o out",
                "predict --text cup --checkpoint a.pth",
                "vocab show a.safetensors",
                "store info a",
                "summarize a=b --keys c d",
            )
        ]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change the words."""
        words = ("--help", "--version", "--", "-1", "nan", "--seed", "--cfg-options", *COMMANDS)
        return {NAME: mutate_text(files[NAME], rng, words)}

    def read(self, folder: Path) -> None:
        """Parse the words; no command is run."""
        with refusal_of_argparse():
            parse(text_of(folder).split("\n"))


@contextmanager
def refusal_of_argparse() -> Iterator[None]:
    """Raise UserError where argparse has printed what is wrong with the words, and exits."""
    try:
        yield
    except SystemExit as end:
        if end.code not in (0, 2):
            raise
        raise UserError(f"argparse ends with {end.code}") from None
