"""`ovdistill extract`: a store of the teacher's region embeddings. Read ``extract`` first."""
