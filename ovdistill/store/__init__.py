"""Teacher embeddings of regions and captions on disk: made once, read in every training run."""

from ovdistill.store.captions import Caption, CaptionStore
from ovdistill.store.regions import Regions
from ovdistill.store.teacher_store import TeacherStore, write_store

__all__ = ["Caption", "CaptionStore", "Regions", "TeacherStore", "write_store"]
