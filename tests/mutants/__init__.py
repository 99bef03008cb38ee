"""What `make mutants` runs: small faults put into a copy of the code, one at a time, and whether a test notices."""
