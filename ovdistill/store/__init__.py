"""What the teacher says of regions and captions, on disk: made once, read in every training run."""

from ovdistill.store.captions import Caption, CaptionStore
from ovdistill.store.store import Regions, TeacherStore, write_store

__all__ = ["Caption", "CaptionStore", "Regions", "TeacherStore", "write_store"]
