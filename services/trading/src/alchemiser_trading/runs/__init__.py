"""One delivery of a run from checks to report, beside it shadow runs and the comparison of the two pipelines."""
