"""Writers: what a run, a suite or a failure looks like to a reader."""
