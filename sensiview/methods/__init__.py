"""The analyses, one file each; they are found by walking this package."""
