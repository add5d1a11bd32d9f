"""Films of visitors: taken on, coloured in order, given part by part, cancelled, refused."""

import io
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from colorize.errors import ColorizeError
from colorize.web.pictures import film_routes
from colorize.web.pictures.film_jobs import FilmJobs, Limits, limits
from colorize.web.pictures.film_routes import FilmRoutes
from colorize.web.pictures.routes import PREFIX
from tests.support.films import packets_of, panned, pictures_of, times_of, write_film


@pytest.fixture
def jobs(sessions):
    return FilmJobs(sessions.workshop, Limits(60, 500))


@pytest.fixture
def film(tmp_path):
    cut = [*panned(6), *[255 - picture for picture in panned(6, photo="coins")]]
    return write_film(tmp_path / "old.mp4", cut, sound=True)


@pytest.fixture
def client(sessions, jobs, monkeypatch):
    monkeypatch.setattr(film_routes, "uploaded", lambda path: Path(path) if path else None)
    return TestClient(Starlette(routes=FilmRoutes(sessions, jobs).routes()))


def until_over(job):
    end = time.monotonic() + 60
    while not job.is_over and time.monotonic() < end:
        time.sleep(0.02)
    assert job.is_over
    return job


def test_a_film_is_coloured_and_goes_with_its_session(sessions, jobs, film, tmp_path):
    session = sessions.of("me")
    job = until_over(jobs.start(session, film, "direct", saturation=1.5))
    state = job.state()
    assert (state["state"], state["frames"], state["error"]) == ("done", 12, "")
    assert state["download"] == "old-direct.mp4"
    assert state["parts"] == pytest.approx([0.24, 0.24])
    assert job.first[1] == "image/jpeg"
    assert times_of(job.output) == times_of(film)
    assert packets_of(job.output, "audio") == packets_of(film, "audio")
    assert jobs.job(session, job.number) is job
    assert jobs.job(sessions.of("other"), job.number) is None
    sessions.drop("me")
    assert not session.folder.exists()


def test_who_leaves_or_cancels_ends_the_work(sessions, jobs, film):
    session, workshop = sessions.of("me"), sessions.workshop
    with workshop.turn("a"), workshop.turn("b"):  # the networks are at others' photos
        first = jobs.start(session, film, "direct")
        second = jobs.start(session, film, "direct")
        second.is_cancelled = True
        third = jobs.start(sessions.of("you"), film, "direct")
        sessions.drop("you")
    for job in (first, second, third):
        until_over(job)
    assert [job.state()["state"] for job in (first, second, third)] == [
        "done", "cancelled", "cancelled",
    ]  # fmt: skip


def test_films_that_are_too_long_or_too_large_are_refused_with_what_to_do(sessions, film):
    session = sessions.of("me")
    long = write_film(film.with_name("long.mp4"), panned(2), times=(0, 800_000))
    with pytest.raises(ColorizeError, match=r"long\.mp4 lasts 63 s; films of up to 60 s are colou"):
        FilmJobs(sessions.workshop, Limits(60, 500)).start(session, long, "direct")
    with pytest.raises(ColorizeError, match=r"old\.mp4 has 0 MB; films of up to 0 MB are coloured"):
        FilmJobs(sessions.workshop, Limits(60, 0)).start(session, film, "direct")


def test_of_a_film_that_is_too_long_a_part_can_be_had(sessions, film):
    session = sessions.of("me")
    long = write_film(film.with_name("long.mp4"), panned(3), times=(0, 400_000, 800_000))
    jobs = FilmJobs(sessions.workshop, Limits(40, 500))
    with pytest.raises(ColorizeError, match=r"That part of long\.mp4 lasts 58 s; .* Choose a part"):
        jobs.start(session, long, "direct", start=5)
    job = until_over(jobs.start(session, long, "direct", start="0:05", end="0:35"))
    assert (job.state()["start"], job.film.frames) == (5, 1)


def reddening(pixels):
    """How much redder the left half is than the right one."""
    red = pixels[..., 0].astype(float) - pixels[..., 2]
    return red[:, :28].mean() - red[:, 36:].mean()


def test_a_picture_is_taken_coloured_and_given_back(sessions, jobs, film, client, tmp_path):
    session = sessions.of("me")
    films = f"{PREFIX}/{session.key}/films"
    number = client.post(films, json={"path": str(film), "model": "direct"}).json()["number"]
    plain = pictures_of(until_over(jobs.job(session, number)).output)
    taken = client.get(f"{films}/{number}/picture?time=0:00.33")
    with Image.open(io.BytesIO(taken.content)) as picture:
        assert (picture.format, picture.size) == ("PNG", (64, 48))
        grey = np.asarray(picture.convert("L")).astype(int)
    assert np.abs(grey - pictures_of(film)[8][..., 0]).max() <= 2
    assert client.get(f"{films}/{number}/picture?time=99").status_code == 422
    assert client.get(f"{films}/{number}/picture?time=soon").status_code == 422
    still = tmp_path / "painted.png"
    painted = np.dstack([grey] * 3)
    painted[:, :32, 0] += 60
    painted[:, 32:, 2] += 60
    Image.fromarray(np.minimum(painted, 255).astype(np.uint8)).save(still)
    given = {"path": str(film), "model": "direct", "start": "0:00.24", "end": ""}
    told = client.post(films, json=given | {"stills": [{"path": str(still), "time": "0:00.33"}]})
    still.unlink()  # it was kept
    job = until_over(jobs.job(session, told.json()["number"]))
    assert job.error == "" and job.film.frames == 6
    assert min(map(reddening, pictures_of(job.output))) > 20 + max(map(reddening, plain))
    for wrong, status in (
        ({"start": "soon"}, 422), ({"stills": 3}, 422), ({"end": "0:00.1", "start": "1"}, 422),
        ({"stills": [{"path": "", "time": 0}]}, 404),
    ):  # fmt: skip
        assert client.post(films, json=given | wrong).status_code == status


def test_only_so_many_wait(sessions, jobs, film, monkeypatch):
    monkeypatch.setattr(jobs, "_submit", lambda job: None)
    session = sessions.of("me")
    for _ in range(4):
        jobs.start(session, film, "direct")
    with pytest.raises(ColorizeError, match="Many films are waiting already"):
        jobs.start(session, film, "direct")
    jobs.start(sessions.of("you"), film, "direct")


def test_limits_come_from_the_environment():
    assert limits({"COLORIZE_FILM_SECONDS": "90", "COLORIZE_FILM_MEGABYTES": "20"}) == Limits(
        90, 20
    )
    assert limits({}).megabytes == 500
    for given in ("many", "-1", "1.5"):
        with pytest.raises(ColorizeError, match="COLORIZE_FILM_SECONDS: expected a whole number"):
            limits({"COLORIZE_FILM_SECONDS": given})


def test_addresses_give_what_is_done(sessions, jobs, film, client):
    session = sessions.of("me")
    films = f"{PREFIX}/{session.key}/films"
    given = client.post(films, json={"path": str(film), "model": "direct"})
    number = given.json()["number"]
    assert given.status_code == 200
    until_over(jobs.job(session, number))
    at = f"{films}/{number}"
    assert client.get(f"{at}/state").json()["state"] == "done"
    assert client.get(f"{at}/first").headers["content-type"] == "image/jpeg"
    assert client.get(f"{at}/grey").content == film.read_bytes()
    part = film.with_name("part.mp4")
    part.write_bytes(client.get(f"{at}/part/1").content)
    assert len(pictures_of(part)) == 6
    with Image.open(io.BytesIO(client.get(f"{at}/preview").content)) as moving:
        assert (moving.format, moving.size, moving.n_frames) == ("WEBP", (64, 48), 6)
    whole = client.get(f"{at}/file", headers={"Range": "bytes=0-99"})
    assert (whole.status_code, len(whole.content)) == (206, 100)
    assert "old-direct.mp4" in client.get(f"{at}/file?download").headers["content-disposition"]


def test_what_is_not_there_or_wrong_is_a_sentence(sessions, film, client, tmp_path):
    key = sessions.of("me").key
    films = f"{PREFIX}/{key}/films"
    text = tmp_path / "text.mp4"
    text.write_text("a film about nothing")
    for answer, status, said in (
        (client.get(f"{films}/7/state"), 404, "There is no such film"),
        (client.post(f"{films}/7/cancel"), 404, "There is no such film"),
        (client.post(f"{PREFIX}/none/films", json={}), 404, "unused for too long"),
        (client.post(films, content=b"["), 422, "expected path, model"),
        (client.post(films, json=[1]), 422, "expected path, model"),
        (client.post(films, json={"path": "", "model": "direct"}), 404, "There is no such film"),
        (client.post(films, json={"path": str(text), "model": "direct"}), 422, "cannot be read"),
        (client.post(films, json={"path": str(film), "model": "none"}), 422, "none"),
        (
            client.post(films, json={"path": str(film), "model": "direct", "saturation": 99}),
            422, "saturation: expected a number from 0 to 10",
        ),
    ):  # fmt: skip
        assert answer.status_code == status
        assert said in answer.json()["error"]
