"""The model line: data set → train → quantise → export → verify, one module a step."""
