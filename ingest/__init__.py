"""Product docs into knowledge; run by `usher ingest`."""
