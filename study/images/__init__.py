"""Images: the registry of data sets, downloads, degradations."""
