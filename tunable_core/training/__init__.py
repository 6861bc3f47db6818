"""One training loop for every control method."""

from tunable_core.training.loop import LOG_EVERY, TrainingDiverged, train
from tunable_core.training.settings import Training, learning_rate

__all__ = ["LOG_EVERY", "Training", "TrainingDiverged", "learning_rate", "train"]
