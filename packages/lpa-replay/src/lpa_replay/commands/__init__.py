"""The commands of ``lpa`` that this package brings, one subject a module."""
