"""Measurement of how well the pocket model follows prompts: seeded cases through the studio's own graphs."""
