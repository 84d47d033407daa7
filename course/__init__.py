"""What a learner opens: one folder a unit, and `course.given`, the library their notebooks use."""
