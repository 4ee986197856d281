"""What is kept on disk, in SQLite through SQLAlchemy, which is imported at first use.

``restore_points.py`` is what the rooms around see; ``database.py`` opens the file; ``migrations.py`` is its history.
"""
