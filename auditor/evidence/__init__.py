"""One module per kind of evidence: each turns the snapshot, or other evidence, into one `Known` value or says why it could not."""
