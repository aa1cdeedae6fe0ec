"""The pocket model: a tiny LTX-2.3 of our own that runs the same graphs through the same loaders on any CPU."""
