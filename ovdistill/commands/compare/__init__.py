"""`ovdistill compare`: methods trained and tested side by side. Read ``compare`` first."""
