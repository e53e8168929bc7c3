"""The commands that check, describe and join stores: `ovdistill store ...`."""
