"""The mathematics that analyses share: designs, estimators, bootstrap."""
