"""`ovdistill predict`: what a text describes, in images and videos. Read ``predict`` first."""
