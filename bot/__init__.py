"""aisq, an ops bot."""

__version__ = "0.1.0"
