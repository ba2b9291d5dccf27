"""Rows: what is kept in PostgreSQL, and the spool that brings it there.

``spool`` is the way in for every process and loads nothing but the standard library; ``writer`` alone copies the spool to
the database; ``store.Store`` is one repository a table for whoever reads.
"""
