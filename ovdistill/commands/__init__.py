"""The commands of `ovdistill`, one module each."""
