"""Speed and quality, measured beside others; no part of the product. From the checkout: python -m benchmarks.<name>."""
