"""The linked viewer of volumes: what is shown (scene), where one looks (view state), and the panes that draw it."""
