"""An index of what a detector saw: written once, searched with any text or example."""
