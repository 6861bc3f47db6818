"""The typed script of a user, which mypy reads in `make test`, also runs."""

import user_script


def test_the_script_of_a_user_runs(tmp_path):
    assert user_script.main(tmp_path).shape == (4, 3, 32, 32)
