"""What a page says in sentences: bands that decided, alerts, decisions worth a look, comparisons, methods."""
