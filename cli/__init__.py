"""The ``nlp`` command: companies, runs, observations, documents, jobs, dead letters and deployments from a terminal."""
