"""The look of the study: plots, picture panels, diagrams."""
