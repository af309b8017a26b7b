"""Dialogs: each opens without blocking and tells by a signal what the user decided."""
