"""What files may be: one module per format, each declaring FORMAT (ingest/spec.py)."""
