"""The pocket model: our own tiny LTX-2.3 that runs the same graphs through the same loaders on any CPU."""
