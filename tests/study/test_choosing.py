"""Settings are chosen on 40 images that are held out of training and never tested on."""

from study import configs
from study.configs import measurements
from study.configs.choosing import FIT, VALID, chosen, trial, validation
from study.images import datasets


def digests(name):
    return {file.sha256 for file in datasets.describe(name).files}


def test_the_training_images_part_into_those_to_fit_and_40_to_validate():
    assert len(digests(VALID)) == 40
    assert not digests(VALID) & digests(FIT)
    assert digests(VALID) | digests(FIT) == digests("bsds500-clean")


def test_no_validation_image_is_tested_on():
    for tested in ("kodak", "cbsd68", "bsd100", "set5", "set14"):
        assert not digests(VALID) & digests(tested)


def test_a_trial_is_trained_and_compared_on_them_and_the_choice_on_both():
    config = configs.ablation("as released", configs.profile("laptop"))
    assert trial(config).data == FIT
    assert trial(config).training == config.training
    assert trial(config).key != config.key
    assert chosen(config).data == "bsds500-clean"
    what = validation(measurements.ablations())
    assert what.images == VALID
    assert what.crop == measurements.ablations().crop
