"""The times of a class: numbers of students and threads; the times themselves are not tested."""

import os
from subprocess import CalledProcessError

import pytest

from study.measuring import classroom


def test_one_student_and_many_are_timed_with_and_without_one_thread_each(monkeypatch):
    monkeypatch.setattr(classroom, "_together", lambda count, threads, steps: float(count * steps))
    table = classroom.classroom(steps=10, students=4)
    assert table.to_numpy().tolist() == [
        [1, "one", 10.0],
        [1, "default", 10.0],
        [4, "one", 40.0],
        [4, "default", 40.0],
    ]


@pytest.mark.parametrize(("threads", "said"), [("one", "1"), ("default", None)])
def test_every_student_has_the_threads_and_a_folder_of_their_own(monkeypatch, tmp_path, threads, said):
    (tmp_path / "book").mkdir()
    script = "import os, pathlib, sys; pathlib.Path('seen').open('a').write("
    script += f"sys.argv[-1] + ' ' + str(os.environ.get({classroom.THREADS!r})) + chr(10))"
    (tmp_path / "book/execute.py").write_text(script)
    monkeypatch.setattr(classroom, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(classroom.THREADS, "7")
    assert classroom._together(3, threads, 5) > 0
    folders, given = zip(
        *(line.split() for line in (tmp_path / "seen").read_text().splitlines()), strict=True
    )
    assert len({os.path.dirname(f) for f in folders}) == 1
    assert len(set(folders)) == 3
    assert set(given) == {str(said)}


def test_a_notebook_that_fails_is_not_a_time(monkeypatch, tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book/execute.py").write_text("raise SystemExit(3)")
    monkeypatch.setattr(classroom, "ROOT", tmp_path)
    with pytest.raises(CalledProcessError, match="3"):
        classroom._together(1, "one", 5)
