"""What stage one costs: a training step, a pruning event, a threshold, each measured by a module of its own."""
