"""TODO history"""
