"""What is too long, or too dependent on the machine, for every run: the trials, the fuzz harness and the benchmarks."""
