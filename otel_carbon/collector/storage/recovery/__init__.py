"""Reading what is left of a damaged database, page by page, without SQLite: it gives up where it need not."""
