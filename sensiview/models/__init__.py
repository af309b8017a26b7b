"""Networks: safe loading, architectures, layers, batched evaluation, training."""
