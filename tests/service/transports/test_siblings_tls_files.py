"""A node's files for TLS while it runs: what is exchanged, what is wrong with it, what is due."""

from __future__ import annotations

import logging
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from service.identity.authority import issue, new_authority, renew
from service.identity.certificates import card_of, certificate_pem, read_certificate
from service.identity.files import replace
from service.transports.siblings import tls
from service.transports.siblings.tls import Security
from tests.service.identity.papers import DAY, HERD, NOW, OTHER_HERD, herd, node_files, written

IN_ORDER = "the certificate files are in order again"


class Running:
    """A node's files and what it makes of them; `now` is what it takes for the time."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.authority = herd(NOW - 500 * DAY)
        self.paths = node_files(folder / "barn", self.authority, "barn", NOW)
        self.security = Security(self.paths, "barn", lambda: self.now)

    def renew(self, days: int) -> str:
        """Exchange the certificate; the new one's fingerprint."""
        path = self.paths.certificate
        made = renew(self.authority, read_certificate(path.read_bytes(), ""), NOW, days)
        replace(path, certificate_pem(made))
        return card_of(made, "").fingerprint

    def alarms(self) -> list[str]:
        """The codes of what somebody has to see to, once the node has looked."""
        self.security.look()
        return [one.code for one in self.security.alarms()]

    def at(self, now: datetime) -> tuple[list[str], list[str]]:
        """The codes of alarms and of warnings at a moment."""
        self.now = now
        return self.alarms(), [one.code for one in self.security.warnings()]


@pytest.fixture
def running(tmp_path: Path) -> Running:
    """A node whose certificate has just been made for a year."""
    return Running(tmp_path)


def test_what_a_mode_has_spoilt_a_mode_mends(running: Running) -> None:
    """Nothing is written, so that neither time nor size of the file tell."""
    assert running.alarms() == []
    running.paths.key.chmod(0o644)
    assert running.alarms() == ["certificate.unreadable"]
    assert "has mode 644" in running.security.alarms()[0].text
    running.paths.key.chmod(0o600)
    assert running.alarms() == []


def test_what_a_clock_has_spoilt_a_clock_mends(running: Running) -> None:
    """The new certificate seems to be expired; the files stay as they are."""
    running.now = NOW + 200 * DAY
    latter = running.renew(100)
    assert running.alarms() == ["certificate.unreadable"]
    assert running.security.card.fingerprint != latter
    running.now = NOW
    assert running.alarms() == []
    assert running.security.card.fingerprint == latter


def test_files_that_are_away_for_a_while_are_taken_again(running: Running) -> None:
    """The folder is away for a while, and comes back with the same files."""
    folder = running.paths.key.parent
    away = folder.rename(folder.parent / "away")
    assert running.alarms() == ["certificate.unreadable"]
    away.rename(folder)
    assert running.alarms() == []


def test_a_trouble_is_told_to_the_log_once(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """However often it is looked at; another one is told, and so is the end of it."""
    caplog.set_level(logging.INFO, "herdbook.herd")
    running.paths.key.chmod(0o644)
    for _ in range(3):
        running.security.look()
    assert caplog.text.count("cannot be used") == 1
    running.paths.key.chmod(0o604)
    for _ in range(3):
        running.security.look()
    assert caplog.text.count("cannot be used") == 2
    assert IN_ORDER not in caplog.text
    running.paths.key.chmod(0o600)
    for _ in range(3):
        running.security.look()
    assert caplog.text.count(IN_ORDER) == 1
    assert "a new certificate counts" not in caplog.text


def test_only_another_certificate_is_told_as_a_new_one(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that is touched, or written again as it was, is no news."""
    caplog.set_level(logging.INFO, "herdbook.herd")
    path = running.paths.certificate
    os.utime(path)
    running.security.look()
    replace(path, path.read_bytes())
    running.security.look()
    assert caplog.text == ""
    latter = running.renew(100)
    running.security.look()
    assert f"a new certificate counts, until {NOW + 100 * DAY:%Y-%m-%d %H:%M} UTC: {latter}" in (
        caplog.text
    )


def test_loose_certificates_are_not_taken(running: Running) -> None:
    """Somebody else may have put them there."""
    former = running.security.card.fingerprint
    running.renew(100)
    running.paths.certificate.chmod(0o666)
    assert running.alarms() == ["certificate.unreadable"]
    assert running.security.card.fingerprint == former


def test_who_is_to_renew_is_warned_first_and_alarmed_before_the_end(running: Running) -> None:
    """From two thirds of a year on there is time; thirty days before the end there is not."""
    end, second = NOW + 365 * DAY, timedelta(seconds=1)
    due = card_of(issue(running.authority, "barn", NOW).certificate, "").life.renew_at
    assert running.at(due - second) == ([], [])
    assert running.at(due) == ([], ["certificate.due"])
    assert running.at(end - 30 * DAY - second) == ([], ["certificate.due"])
    assert running.at(end - 30 * DAY) == (["certificate.ending"], [])
    assert running.at(end) == (["certificate.ending"], [])
    assert running.at(end + second) == (["certificate.expired"], [])


def test_of_a_short_life_a_sixth_is_left_when_there_is_an_alarm(running: Running) -> None:
    """So that whoever renews by himself, every few days, is never alarmed."""
    running.renew(30)
    minute = timedelta(minutes=1)
    assert running.at(NOW + 20 * DAY - 5 * minute) == ([], [])
    assert running.at(NOW + 20 * DAY) == ([], ["certificate.due"])
    assert running.at(NOW + 25 * DAY - minute) == ([], ["certificate.due"])
    assert running.at(NOW + 25 * DAY) == (["certificate.ending"], [])


def test_what_helps_is_told(tmp_path: Path, running: Running) -> None:
    """Renewing, or another authority where no certificate can count longer than that."""
    running.at(NOW + 350 * DAY)
    [alarm] = running.security.alarms()
    assert "herd ca renew" in alarm.text
    assert "herd ca init" not in alarm.text
    short = new_authority(HERD, NOW, days=60)
    paths = node_files(tmp_path / "shed", short, "shed", NOW)
    [alarm] = Security(paths, "shed", lambda: NOW + 55 * DAY).alarms()
    assert "herd ca init" in alarm.text
    assert "herd ca renew" not in alarm.text


def test_who_belonged_to_the_former_herd_counts_no_more(tmp_path: Path, running: Running) -> None:
    """The node has gone over to another herd: what was shown before was for the former."""
    shed = card_of(issue(running.authority, "shed", NOW).certificate, "")
    assert running.security.against(shed) is None
    other = herd(NOW, OTHER_HERD)
    new = written(tmp_path / "other", issue(other, "barn", NOW), other)
    for path, source in zip(running.paths, new, strict=True):
        source.replace(path)
    running.security.look()
    broken = running.security.against(shed)
    assert broken is not None
    assert broken.code == "tls.certificate"
    assert f"is of herd {HERD}, and this node is of herd {OTHER_HERD} by now" in broken.text


def test_whatever_goes_wrong_with_files_is_looked_at_again(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what nobody has thought of: the former certificate counts, and it is told."""
    latter = running.renew(100)
    with monkeypatch.context() as patched:
        patched.setattr(tls, "load_credentials", lambda *_arguments: 1 / 0)
        assert running.alarms() == ["certificate.unreadable"]
        assert "cannot be taken (ZeroDivisionError)" in running.security.alarms()[0].text
    assert running.alarms() == []
    assert running.security.card.fingerprint == latter
