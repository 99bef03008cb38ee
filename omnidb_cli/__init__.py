"""omnidb: health, circuits and failover for every database you are on call for."""

__version__ = "0.1.0"
