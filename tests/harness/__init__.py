"""The project's own tests, in the same rooms as the code."""
