#!/usr/bin/env python3
"""Runs a management command, with the embedded servers where it needs them."""

import sys

from crm.embedded.command import run

if __name__ == "__main__":
    run(sys.argv)
