"""The processes of the pipeline, one package each."""
