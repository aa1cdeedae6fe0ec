"""Does the pocket model do what it is told? Seeded cases through the studio's own graphs, measured on the file."""
