"""A multi-loss with one objective that is trained together with the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from tunable_core.multi_loss import MultiLoss, Objective, PlainLoss


class AdversarialLoss(MultiLoss):
    """A MultiLoss of which one objective, the adversary, takes a step of its own at each training step.

    objectives: see MultiLoss. adversary: the name of the objective that learns, which must have
        start(seed, device, *, bf16), learn(output, clean, weight, pace), state() and load(tensors).
    Raises ValueError for an adversary that is not among the objectives.
    """

    def __init__(self, objectives: Mapping[str, Objective | PlainLoss], adversary: str) -> None:
        super().__init__(objectives)
        if adversary not in self.objectives:
            raise ValueError(
                f"the adversary must be one of the objectives {list(self.objectives)}; got {adversary!r}"
            )
        self.adversary: Any = self.objectives[adversary]
        self._dial = list(self.objectives).index(adversary)

    def learn(self, output: Tensor, clean: Tensor, omega: Tensor, pace: float) -> dict[str, Tensor]:
        """One step of the adversary, with its weight in Eq. 7.

        output, clean, omega: as in the preceding call of the loss; pace: learning rate divided by its
        peak. Returns the columns that the adversary's learn() adds to the history, each [].
        """
        weight = self.weights(omega)[..., self._dial].to(output.device)
        return self.adversary.learn(output, clean, weight, pace)
