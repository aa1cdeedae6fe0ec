"""The parts of the page beside the forms: run, take, history, queue, models, settings."""
