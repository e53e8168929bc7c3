"""The checks of `ovdistill doctor`.

They have to work where the installation does not: only the standard library is imported at the
top of these files, and a library that cannot be imported is a finding.
"""
