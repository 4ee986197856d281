"""Where answers come from: one file a vendor, and ``http.py``, the one place that opens connections."""
