"""What `make bench` measures: ratios and bounds, as medians of alternated runs in one go."""
