"""Attacks by text against a whole usher whose model obeys whatever anything in its prompt says."""
