"""Files of a folder, kept in step with a workspace of a knowledge base.

``names.py``: what a document is called there, and the way back to its file; ``files.py``: which files go there;
``ledger.py``: what of them is there already; ``plan.py`` (pure): what is to be done; ``run.py`` does it. Speaks to no
server: that is for whoever plays ``DocumentStore`` (``values.py``).
"""
