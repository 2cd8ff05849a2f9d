"""Other outside services behind ports."""
