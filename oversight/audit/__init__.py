"""What people found: their verdicts as data (`verdict`), and the labels that learning and measuring take from them
(`labels`).
"""
