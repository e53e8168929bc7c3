"""The commands of `ovdistill`, a module each; ``command_table`` lists them."""
