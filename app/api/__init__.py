"""HTTP and WebSocket: mounts every route module."""
