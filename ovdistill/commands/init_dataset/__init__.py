"""`ovdistill init-dataset`: a config for data of one's own. Read ``init_dataset`` first."""
