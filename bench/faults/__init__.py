"""Faults that a studio must survive: kills, full and missing disks, locked and damaged databases."""
