"""One training loop for every control method."""

from tunable_core.training.loop import LOG_EVERY, Training, TrainingDiverged, learning_rate, train

__all__ = ["LOG_EVERY", "Training", "TrainingDiverged", "learning_rate", "train"]
