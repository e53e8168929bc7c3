"""Relations of regions to a queue of the teacher's recent embeddings."""
