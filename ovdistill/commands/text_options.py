"""Options of the commands that are told what to look for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ovdistill.commands.checks import check_file
from ovdistill.commands.options import ConfigOptions, option
from ovdistill.core.errors import UserError

if TYPE_CHECKING:
    from ovdistill.inference.text_model import TextModel
    from ovdistill.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class TextOptions(ConfigOptions):
    """What to look for: a text with what competes with it, or a vocabulary file."""

    text: str | None = option(
        None, help="what to look for, separated by commas, or a file of names"
    )
    background: str = option(
        "auto",
        help="names that compete with the text but are not reported: auto (those of the training), "
        "none, or names of your own",
        metavar="TEXT",
    )
    vocabulary: str | None = option(
        None, help="vocabulary file to use instead of --text", metavar="FILE"
    )

    def check_texts(self) -> None:
        """Raise UserError for options that exclude each other, and a missing file."""
        if self.text is not None and self.vocabulary:
            raise UserError("got --text and --vocabulary: give one of them.")
        if self.background != "auto" and self.vocabulary:
            raise UserError(
                "--background goes with --text: the vocabulary file holds all its names."
            )
        check_file(self.vocabulary, "--vocabulary")

    def set_texts(self, model: TextModel[Any], text: str) -> Vocabulary:
        """Let a model look for the vocabulary that is given, else for a text."""
        from ovdistill.vocabulary import Vocabulary

        if self.vocabulary:
            return model.set_vocabulary(Vocabulary.load(self.vocabulary))
        background = None if self.background.strip() in ("none", "") else self.background
        return model.set_vocabulary(text, background)
