"""rs-count-before-expectations: pods are counted first, expectations are asked afterwards."""
