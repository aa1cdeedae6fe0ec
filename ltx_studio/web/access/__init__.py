"""Who may do what: identity, login, allowed origins, file access, limits of requests, redaction."""
