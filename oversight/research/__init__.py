"""Automated research over weak-to-strong methods: many experiments, and a score that cannot be looked at twice.

proposers ──> director ──> workers (train; no gold) ──> predictions ──> vault (gold; trains nothing) ──> answers

A study is a folder (`study.py`), resumable whenever it is killed. Values that pass between the rooms are in `model.py`.
"""
