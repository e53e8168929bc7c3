"""The readers that the fuzzer tries, by name."""

from __future__ import annotations

from ..reader import Reader
from .adapters import AdapterReader
from .annotations import (
    AnnotationsReader,
    CaptionTextsReader,
    DetectionsReader,
    EvaluationReader,
    TrainingReader,
)
from .command_line import ConfigOptionsReader, EnvironmentReader, WordsReader
from .configs import ConfigReader, PlaceholderReader
from .exported import OnnxHeaderReader
from .images import ImageReader
from .label_maps import ImageListReader, LabelMapReader, LabelTableReader, PanopticReader
from .pairs import PairTableReader
from .results import ComparisonReader, ResultsReader, SegmentationRunReader
from .search import IndexReader
from .store import CaptionStoreReader, ProposalsReader, StoreReader
from .texts import NamesReader, QueriesReader, TemplatesReader
from .vocabulary import EmbeddingsReader, PromptsReader, VocabularyReader
from .weights import CheckpointReader, WeightsReader

READERS: dict[str, type[Reader]] = {
    reader.name: reader
    for reader in (
        *(AnnotationsReader, TrainingReader, EvaluationReader, CaptionTextsReader, NamesReader),
        *(TemplatesReader, QueriesReader, VocabularyReader, PromptsReader, EmbeddingsReader),
        *(StoreReader, CaptionStoreReader, ProposalsReader, CheckpointReader, WeightsReader),
        *(ImageReader, ConfigReader, PlaceholderReader, ConfigOptionsReader, EnvironmentReader),
        *(WordsReader, ResultsReader, ComparisonReader, IndexReader, DetectionsReader),
        SegmentationRunReader,
        *(OnnxHeaderReader, LabelMapReader, LabelTableReader, PanopticReader, ImageListReader),
        *(AdapterReader, PairTableReader),
    )
}
