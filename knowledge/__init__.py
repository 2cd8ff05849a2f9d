"""What we know or infer; answers questions, never sends."""
