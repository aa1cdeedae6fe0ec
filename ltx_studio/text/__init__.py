"""Text: decode what other programs wrote, format values for people, and phrases that several interfaces share."""
