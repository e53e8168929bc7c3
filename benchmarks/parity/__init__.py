"""Random evaluations on which the backends are compared with one another."""
