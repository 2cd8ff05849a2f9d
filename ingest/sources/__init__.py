"""Where docs come from; one file per kind of source."""
