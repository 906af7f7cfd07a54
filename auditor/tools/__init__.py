"""One port per outside tool; exit codes are never believed, what was examined is accounted for file by file."""
