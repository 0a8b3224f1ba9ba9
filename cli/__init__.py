"""The ``nlp`` command: companies, runs, results, dead letters and deployments from a terminal."""
