"""Vocabulary files, learned prompts, and embeddings that others publish."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.vocabulary_header import read_header
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.learned_prompts import ClassContexts, LearnedPrompts, read_prompts

from ..mutate_tensors import in_order, mutate_npy, mutate_safetensors
from ..reader import Files, Reader

NAME = "input.safetensors"
NAMES = ("cup", "red star", "hot dog")
TEACHER = TeacherId("fuzz", "0" * 16)


def _vocabulary(*, tokens: bool, learned: bool, own: bool = False) -> Vocabulary:
    of_classes = ClassContexts(NAMES[:2], torch.ones(1, 2, 2, 4)) if own else None
    contexts = LearnedPrompts(torch.ones(1, 2, 4), "end", TEACHER, "learned", own=of_classes)
    return Vocabulary(
        NAMES,
        torch.eye(3, 4),
        torch.tensor([True, True, False]),
        TEACHER,
        templates=("learned",) if learned else ("a photo of a {}.",),
        frequency=("f", "c", "r"),
        synonyms=(("cup", "mug"), ("red star",), ("hot dog",)),
        counts=(5, 6, 7),
        token_embeddings=torch.eye(5, 4).roll(1, 1).add(1e-9) if tokens else None,
        learned=contexts if learned else None,
    )


def saved(vocabulary: Vocabulary, folder: Path) -> bytes:
    """Return the file of a vocabulary, the same bytes every time."""
    vocabulary.save(folder / NAME)
    return in_order((folder / NAME).read_bytes())


class VocabularyReader(Reader):
    """``Vocabulary.load`` and ``read_header``."""

    name = "vocabulary"

    def seeds(self) -> Sequence[Files]:
        """Return files with and without learned prompts, shared and of classes."""
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            kinds = (
                dict(tokens=False, learned=False),
                dict(tokens=False, learned=True),
                dict(tokens=False, learned=True, own=True),
            )
            return [{NAME: saved(_vocabulary(**kind), Path(folder))} for kind in kinds]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change header, tensors or bytes."""
        return {NAME: mutate_safetensors(files[NAME], rng)}

    def read(self, folder: Path) -> None:
        """Read the file with and without torch, and use it."""
        found = Vocabulary.load(folder / NAME)
        header = read_header(folder / NAME)
        assert found.names == header.names, "the two readers differ"
        assert all(isinstance(name, str) for name in found.names), found.names
        assert bool(found.embeddings.isfinite().all()), "embeddings that are not finite"
        found.positive_map.sum()
        found.only(found.names[:1])
        found.save(folder / "again.safetensors")


class PromptsReader(VocabularyReader):
    """``read_prompts`` of a vocabulary file."""

    name = "prompts"

    def seeds(self) -> Sequence[Files]:
        """Return the files with learned prompts."""
        return super().seeds()[1:]

    def read(self, folder: Path) -> None:
        """Read the prompts."""
        prompts = read_prompts(folder / NAME)
        assert isinstance(prompts, LearnedPrompts), prompts
        context: Tensor = prompts.contexts
        assert context.ndim == 3 and bool(context.isfinite().all()), context
        if prompts.own is not None:
            assert prompts.own.of(("cup", "cat"), context).shape[:2] == (len(context), 2)


class EmbeddingsReader(Reader):
    """``Vocabulary.from_array``: a .npy file."""

    name = "embeddings"

    def seeds(self) -> Sequence[Files]:
        """Return arrays of both orientations."""
        rng = np.random.default_rng(0)
        arrays = (rng.normal(size=(3, 4)).astype("f4"), rng.normal(size=(4, 3)).astype("f8"))
        seeds = []
        for array in arrays:
            file = io.BytesIO()
            np.save(file, array)
            seeds.append({"input.npy": file.getvalue()})
        return [*seeds, {"input.npy": seeds[0]["input.npy"] + save({"a": torch.ones(2)})}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change header, values or bytes."""
        return {"input.npy": mutate_npy(files["input.npy"], rng)}

    def read(self, folder: Path) -> None:
        """Read the embeddings of three names."""
        found = Vocabulary.from_array(folder / "input.npy", NAMES)
        assert bool(found.embeddings.isfinite().all()), "embeddings that are not finite"
