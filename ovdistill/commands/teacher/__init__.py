"""The commands of `ovdistill teacher`."""
