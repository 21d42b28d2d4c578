"""Speed of the simulator beside its peers: ratios measured side by side (benchmarks/README.md)."""
