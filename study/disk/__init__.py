"""Files on disk: sealed records and checked tensors."""
