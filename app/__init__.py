"""The server: edge, pipelines, state, and the one place that wires them."""
