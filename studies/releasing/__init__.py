"""Releases: versioned, anonymised data sets of studies, written so that other people's tools load them.

A release version has its date and its pseudonym key in the store, so that it can be built again, byte by byte.
"""
