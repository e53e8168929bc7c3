"""Class names and their text embeddings, which never travel apart."""

from ovdistill.vocabulary.names import Names
from ovdistill.vocabulary.prompts import (
    TEMPLATES,
    article,
    clean_name,
    fill_template,
    read_templates,
)
from ovdistill.vocabulary.splits import base_mask
from ovdistill.vocabulary.vocabulary import Vocabulary

__all__ = [
    "TEMPLATES",
    "Names",
    "Vocabulary",
    "article",
    "base_mask",
    "clean_name",
    "fill_template",
    "read_templates",
]
