"""`ovdistill test`: base and novel AP, or IoU, of a model or of results. Read ``test`` first."""
