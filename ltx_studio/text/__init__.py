"""Text: decode other programs' text, format values for people, and phrases that several interfaces share."""
