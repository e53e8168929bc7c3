"""Names and their embeddings, which never travel apart."""

from ovdistill.vocabulary.names import Names, read_names
from ovdistill.vocabulary.prompts import TEMPLATES, article, clean_name, fill, read_templates
from ovdistill.vocabulary.splits import base_mask
from ovdistill.vocabulary.vocabulary import Vocabulary

__all__ = [
    "TEMPLATES",
    "Names",
    "Vocabulary",
    "article",
    "base_mask",
    "clean_name",
    "fill",
    "read_names",
    "read_templates",
]
