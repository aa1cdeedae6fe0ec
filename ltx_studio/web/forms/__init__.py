"""The modes' forms: fields, filling in, what the browser keeps."""
