"""The graded functions, one module each, named after the function.

These modules hold pieces of the answers: they are in a checkout only, never in the wheel.
"""
