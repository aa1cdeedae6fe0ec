"""The laboratory: training the pocket model and measuring what it does. Not part of the package."""
