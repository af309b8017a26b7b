"""The project on disk: store, lock, migrations."""
