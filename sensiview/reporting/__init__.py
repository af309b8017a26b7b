"""What leaves the program: CSV, figures, reports."""
