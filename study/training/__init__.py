"""The training loop for all control methods."""

from study.training.loop import LOG_EVERY, TrainingDiverged, train
from study.training.settings import Training, learning_rate

__all__ = ["LOG_EVERY", "Training", "TrainingDiverged", "learning_rate", "train"]
