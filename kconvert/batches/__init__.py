"""Batches: many files converted and verified by several processes or a cluster, with a journal and one report"""
