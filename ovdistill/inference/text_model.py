"""What detectors and segmentors have in common: files, a teacher, and class names as texts."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor

from ovdistill.core.class_names import clean_name
from ovdistill.core.devices import choose_device
from ovdistill.core.errors import UserError
from ovdistill.datasets.build_vocabulary import prompts_of_config
from ovdistill.inference.asked import (
    AUTO,
    Asked,
    Background,
    Competing,
    Text,
    Wanted,
    ask,
    read_texts,
)
from ovdistill.inference.encoded_texts import EncodedTexts
from ovdistill.inference.hub import HubMixin
from ovdistill.inference.model_kind import is_segmentor
from ovdistill.inference.network import Network
from ovdistill.inference.pretrained import DetectorFiles
from ovdistill.models.config import load_config
from ovdistill.teacher import Teacher, build_teacher
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.learned_prompts import LearnedPrompts

LOGGER = logging.getLogger(__name__)
AnyNetwork = TypeVar("AnyNetwork", bound=Network)


class TextModel(HubMixin, ABC, Generic[AnyNetwork]):
    """A trained network that is asked by texts.

    Args:
        files: config, weights and vocabulary of the network.
        device: 'cpu', 'cuda', 'cuda:1', ... By default, a GPU if there is one.
        teacher: the teacher that encodes texts. By default, the one that the config names.
        overrides: values that replace those of the config, by dotted key.
        half: run the network in half precision.

    Attributes:
        segments: whether the network is a segmentor.

    Raises:
        UserError: no such config or device, or a config of the other kind of network.
    """

    segments: ClassVar[bool]

    def __init__(
        self,
        files: DetectorFiles,
        device: str | None = None,
        teacher: Teacher | None = None,
        overrides: Mapping[str, Any] | None = None,
        *,
        half: bool = False,
    ) -> None:
        self.files = files
        self.device = choose_device(device)
        self.config = load_config(files.config, overrides)
        self._check_kind()
        self.half = half
        self._engine: AnyNetwork | None = None
        self._texts: tuple[Wanted, Competing] | None = None  # what was set last
        self._said = set[str]()  # notes are given once
        self._encoded = EncodedTexts(self._encode)
        if teacher is not None:
            self.teacher = teacher

    def _check_kind(self) -> None:
        if is_segmentor(self.config) != self.segments:
            found, loads = ("detector", "Detector") if self.segments else ("segmentor", "Segmentor")
            raise UserError(
                f"got {self.files.config}, which is the config of a {found}; expected "
                f"{loads}.from_pretrained to load it"
            )

    @abstractmethod
    def build_network(self, asked: Asked) -> AnyNetwork:
        """Build the network for the first class names."""

    @cached_property
    def teacher(self) -> Teacher:
        """The teacher, which is loaded when the first text is encoded."""
        return build_teacher(self.config.teacher, self.device)

    @cached_property
    def prompts(self) -> tuple[str, ...] | LearnedPrompts:
        """The prompts that texts are put into, see ``build_vocabulary.prompts_of_config``."""
        return prompts_of_config(self.config)

    @cached_property
    def known(self) -> Vocabulary | None:
        """The class names that the network was trained with, None if their file is not there."""
        path = self.files.vocabulary or self.config.get("vocabulary")
        return Vocabulary.load(path) if path and Path(path).is_file() else None

    def set_vocabulary(self, text: Text, background: Background = AUTO) -> Vocabulary:
        """Set what to look for, until it is set again.

        Args:
            text: names between commas, such as "red star, outlined heart"; a file of names; a list
                of names; a mapping of names to phrases; or a vocabulary of the teacher that the
                network was trained with, which says itself which of its names are base.
            background: texts that compete with them and are not reported, because a region or a
                pixel gets the class name that fits it best. 'auto': the class names that the
                network was trained with, except those that mean the same, see ``competitors``; none
                with a vocabulary, which has all its names. None: none.

        Returns:
            The vocabulary: first the texts, then those that compete with them.

        Raises:
            UserError: no text, missing weights of the teacher, or embeddings of another width or
                teacher than the network's.
        """
        texts = read_texts(text, background)
        if self._texts == texts:
            return self.engine.asked.vocabulary
        asked = ask(*texts, self.encode_texts, self.known)
        for note in asked.notes:
            if note not in self._said:
                LOGGER.warning("%s", note)
        self._said.update(asked.notes)
        if self._engine is None:
            self._engine = self.build_network(asked)
        else:
            self._engine.set_asked(asked)
        self._texts = texts
        return asked.vocabulary

    @property
    def engine(self) -> AnyNetwork:
        """The network, which is built when the first texts are set.

        Raises:
            UserError: none were set.
        """
        if self._engine is None:
            raise UserError("nothing to look for: give a text, or call set_vocabulary first.")
        return self._engine

    @property
    def queries(self) -> tuple[str, ...]:
        """The names that it looks for; none at first."""
        return self._engine.asked.queries if self._engine else ()

    def encode_texts(self, names: Sequence[str]) -> Vocabulary:
        """Return names with their text embeddings, each text encoded once in a model's life.

        Base are those that the network was trained with as such, so that they are scored as in its
        test; all, where the class names of the training are not known.
        """
        step = self.config.get("prepare", {}).get("vocabulary") or {}
        if step.get("tokens"):
            return self._encode(names, tokens=True)
        return self._encoded(names)

    def _encode(self, names: Sequence[str], *, tokens: bool = False) -> Vocabulary:
        is_base = self._are_base(names)
        return Vocabulary.encode(names, self.teacher, self.prompts, is_base, tokens=tokens)

    def _are_base(self, names: Sequence[str]) -> Tensor | None:
        """Return (W,) bool, whether names are base names of the training; None if not known."""
        known = self.known
        if known is None:
            return None
        rows = zip(known.names, known.is_base.tolist(), strict=True)
        base = {clean_name(name) for name, is_base in rows if is_base}
        return torch.tensor([clean_name(name) in base for name in names])
