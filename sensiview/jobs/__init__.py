"""Jobs: events, execution, worker process and its supervision; no Qt."""
