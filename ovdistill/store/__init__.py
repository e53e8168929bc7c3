"""Teacher region embeddings on disk: made once, read in every training run."""

from ovdistill.store.store import Regions, TeacherStore, write_store

__all__ = ["Regions", "TeacherStore", "write_store"]
