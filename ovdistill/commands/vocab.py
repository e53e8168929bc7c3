"""`ovdistill vocab`: files of words, which are a detector's classes."""

from __future__ import annotations

from collections.abc import Sequence

from ovdistill.cli import Commands, run_command

COMMANDS: Commands = {
    "build": ("ovdistill.commands.vocab_build", "encode names with a teacher"),
    "import": ("ovdistill.commands.vocab_import", "take embeddings that were published"),
    "learn": ("ovdistill.commands.vocab_learn", "learn prompts from regions of base words"),
    "show": ("ovdistill.commands.vocab_show", "list the words of a file, and who made it"),
    "diff": ("ovdistill.commands.vocab_diff", "say in what two files differ"),
    "nearest": ("ovdistill.commands.vocab_nearest", "find the words nearest to a text"),
}


def main(argv: Sequence[str]) -> int | None:
    """Runs one of the commands."""
    description = "Vocabulary files: names with their embeddings (docs/vocabulary.md)."
    return run_command("ovdistill vocab", description, COMMANDS, argv)
