"""The commands of `ovdistill teacher adapt`: a module for each method."""
