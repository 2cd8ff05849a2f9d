"""The vocabulary: types, contracts and errors every package may import. Imports nothing of ours."""
