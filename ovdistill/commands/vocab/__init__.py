"""Commands that make and compare vocabulary files: `ovdistill vocab ...`."""
