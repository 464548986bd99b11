"""What was tried, with its tables; not part of the product. Run from the checkout: python -m studies.<name>."""
