"""Every claim of the paper, and the judges that grade it."""
