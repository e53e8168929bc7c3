"""Training runs: safe checkpoints, exact resuming, and a stop where numbers are not finite."""
