"""The subcommands of `ovdistill`, a module each."""
