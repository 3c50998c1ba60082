"""Runs scenarios through Python's own handlers: one JSON object a line in, one a line out.

Where loghand means to do something else, the scenario asks for "adjusted" handlers: then Python's result is changed
to the documented one, and the answer names the difference ("hits"). Whatever is not named is Python's own doing.
"""

import calendar
import datetime
import json
import logging
import logging.handlers
import os
import re
import sys
import time as real_time


class Clock:
    """Stands in for the module `time` in logging's modules; only the time of day is another."""

    def __init__(self):
        self.now = 0.0

    def __getattr__(self, name):
        return getattr(real_time, name)

    def time(self):
        return self.now

    def time_ns(self):
        return int(self.now * 1e9)


CLOCK = Clock()
logging.time = logging.handlers.time = CLOCK


class Noting:
    """What both adjusted handlers share."""

    hits = None  # the set of differences met so far, or None for Python as it is
    lost = 0

    def hit(self, difference):
        self.hits.add(difference)

    def handleError(self, record):
        if self.hits is not None:
            raise
        self.lost += 1

    def is_empty(self):
        return not os.path.exists(self.baseFilename) or os.path.getsize(self.baseFilename) == 0

    def begin(self):
        """What loghand does at the start, beyond what Python's constructor does."""
        with open(self.baseFilename, "rb") as file:
            content = file.read()
        self.torn = content != b"" and not content.endswith(b"\n")
        self.prune()

    def mend(self):
        if self.torn:
            self.hit("torn line")
            self.torn = False
            self.stream.write("\n")
            self.stream.flush()

    def numbers(self, prefix):
        """The numbers that stand behind `prefix` in the folder, in order."""
        folder, base = os.path.split(prefix)
        found = [re.fullmatch(re.escape(base) + r"([1-9]\d*)", name) for name in os.listdir(folder)]
        return sorted(int(match[1]) for match in found if match)


class Sized(Noting, logging.handlers.RotatingFileHandler):
    def prune(self):
        if self.hits is None or self.backupCount == 0:
            return
        for number in self.numbers(self.baseFilename + ".")[self.backupCount:]:
            self.hit("surplus")
            os.remove(f"{self.baseFilename}.{number}")

    def shouldRollover(self, record):
        if self.hits is None:
            return super().shouldRollover(record)
        if self.torn and self.maxBytes > 0:
            # The line end that is owed is part of the file.
            self.maxBytes -= 1
            try:
                should = super().shouldRollover(record)
            finally:
                self.maxBytes += 1
        else:
            should = super().shouldRollover(record)
        if should and self.is_empty():
            # Up to Python 3.12.
            self.hit("empty file")
            should = False
        if should:
            self.torn = False
        else:
            self.mend()
        return should

    def doRollover(self):
        if self.hits is None:
            return super().doRollover()
        numbers = self.numbers(self.baseFilename + ".")
        free = next(number for number in range(1, len(numbers) + 2) if number not in numbers)
        gap = any(number > free for number in numbers[:self.backupCount or None])
        if self.backupCount > 0 and not gap:
            super().doRollover()
        else:
            self.hit("zero keeps all" if self.backupCount == 0 else "gap")
            self.stream.close()
            for number in range(free - 1, 0, -1):
                os.rename(f"{self.baseFilename}.{number}", f"{self.baseFilename}.{number + 1}")
            self.rotate(self.baseFilename, self.baseFilename + ".1")
            self.stream = self._open()
        self.prune()


class Timed(Noting, logging.handlers.TimedRotatingFileHandler):
    def begin(self):
        self.since = CLOCK.now
        start = int(os.stat(self.baseFilename).st_mtime)
        if self.is_empty() and start != int(CLOCK.now):
            self.hit("empty file")
            self.rolloverAt = self.computeRollover(int(CLOCK.now))
        elif start > CLOCK.now:
            self.hit("clock set back")
            self.rolloverAt = self.computeRollover(int(CLOCK.now))
        super().begin()

    def prune(self):
        if self.backupCount > 0:
            for path in self.getFilesToDelete():
                self.hit("surplus")
                os.remove(path)

    # When

    def computeRollover(self, now):
        at = super().computeRollover(now)
        if self.hits is None or self.utc or not (self.when == "MIDNIGHT" or self.when.startswith("W")):
            return at
        civil = self.civil_rollover(now)
        if civil != at and self.odd_zone:
            self.hit("zone rules")
            return civil
        return at

    def civil_rollover(self, now):
        """The same by the calendar and the wall."""
        wall = real_time.localtime(now)
        at_time = seconds(self.atTime)
        passed = (wall.tm_hour * 60 + wall.tm_min) * 60 + wall.tm_sec >= at_time
        day = calendar.timegm((wall.tm_year, wall.tm_mon, wall.tm_mday, 0, 0, 0)) // 86400 + passed
        count = self.interval // 86400
        if self.when.startswith("W"):
            # Without a time of day, the midnight that ends the day.
            weekday = (self.dayOfWeek + (self.atTime is None)) % 7
            day += (weekday - (day + 3)) % 7
            day += count - 7
        else:
            day += count - 1
        return instant(day * 86400 + at_time, now)

    def set_back(self):
        """The clock went back by more than a period: the schedule begins anew."""
        if CLOCK.now < self.since and self.since - CLOCK.now > self.rolloverAt - self.since:
            self.hit("clock set back")
            self.advance()

    def advance(self):
        self.rolloverAt = self.computeRollover(int(CLOCK.now))
        self.since = CLOCK.now

    def shouldRollover(self, record):
        if self.hits is None:
            return super().shouldRollover(record)
        self.set_back()
        should = super().shouldRollover(record)
        if should and self.is_empty():
            self.hit("empty file")
            self.advance()
            should = False
        if should:
            self.torn = False
        elif record is not None:
            self.mend()
        return should

    # What it is called

    def rotation_filename(self, default_name):
        name = super().rotation_filename(default_name)
        if self.hits is None:
            return name
        true_name = f"{self.baseFilename}.{real_time.strftime(self.suffix, self.period_start())}"
        if name != true_name:
            self.hit("true start")
        taken = self.numbers(true_name + ".")
        if taken or os.path.exists(true_name):
            self.hit("taken name")
            return f"{true_name}.{max(taken, default=0) + 1}"
        return true_name

    def period_start(self):
        if self.utc:
            return real_time.gmtime(self.rolloverAt - self.interval)
        if not (self.when == "MIDNIGHT" or self.when.startswith("W")):
            return real_time.localtime(self.rolloverAt - self.interval)
        wall = real_time.localtime(self.rolloverAt)
        day = calendar.timegm((wall.tm_year, wall.tm_mon, wall.tm_mday, 0, 0, 0)) - self.interval
        return real_time.gmtime(day)

    def getFilesToDelete(self):
        if self.hits is not None and "taken name" in self.hits:
            self.extMatch = re.compile(r"\d{4}(-\d\d){2}(_\d\d(-\d\d){0,2})?(\.\d+)?", re.ASCII)
        return super().getFilesToDelete()

    def doRollover(self):
        super().doRollover()
        self.since = CLOCK.now


def seconds(at_time):
    return 0 if at_time is None else (at_time.hour * 60 + at_time.minute) * 60 + at_time.second


def offset(at):
    return calendar.timegm(real_time.localtime(at)) - at


def instant(civil, after):
    """The first instant later than `after` at which the wall shows `civil`; behind a gap, as far as the gap is long."""
    before = offset(civil - 2 * 86400)
    there = sorted({civil - before, civil - offset(civil + 2 * 86400)})
    for at in there:
        if at > after and at + offset(at) == civil:
            return at
    return civil - before


def prepare(folder, actions):
    for action, name, *value in actions:
        path = os.path.join(folder, name)
        if action == "write":
            with open(path, "wb") as file:
                file.write(value[0].encode())
            if len(value) > 1:
                os.utime(path, (value[1], value[1]))
        elif action == "mkdir":
            os.mkdir(path)
        elif action == "link":
            os.symlink(value[0], path)
        elif action == "remove" and os.path.exists(path):
            os.remove(path)


def emit(handler, line):
    handler.emit(logging.makeLogRecord({"msg": line}))


def run_size(scenario, hits):
    path = os.path.join(scenario["folder"], "app.log")
    lost = 0
    for run in scenario["runs"]:
        prepare(scenario["folder"], run["before"])
        handler = Sized(
            path,
            mode=scenario["mode"],
            maxBytes=scenario["max_bytes"],
            backupCount=scenario["backup_count"],
            encoding="utf-8",
        )
        handler.hits = hits
        if hits is not None:
            handler.begin()
        for line in run["lines"]:
            emit(handler, line)
        handler.close()
        lost += handler.lost
    return lost


def run_time(scenario, hits):
    path = os.path.join(scenario["folder"], "app.log")
    os.environ["TZ"] = scenario["tz"]
    real_time.tzset()
    at_time = scenario["at_time"] and datetime.time.fromisoformat(scenario["at_time"])
    prepare(scenario["folder"], scenario["before"])
    written = None
    handler = None
    for step, at, *line in [["open", scenario["start"]]] + scenario["steps"]:
        CLOCK.now = at
        if step in ("open", "reopen"):
            if handler is not None:
                handler.close()
                if written is not None:
                    os.utime(path, (written, written))
            if not os.path.exists(path):
                prepare(scenario["folder"], [("write", "app.log", "", at)])
            Timed.odd_zone = scenario["odd_zone"]
            handler = Timed(
                path,
                when=scenario["when"],
                interval=scenario["interval"],
                backupCount=scenario["backup_count"],
                utc=scenario["utc"],
                atTime=at_time,
                encoding="utf-8",
            )
            handler.hits = hits
            if hits is not None:
                # Once more, with what may differ by the zone.
                handler.rolloverAt = handler.computeRollover(int(os.stat(path).st_mtime))
                handler.begin()
        elif step == "tick":
            if handler.shouldRollover(None):
                handler.doRollover()
        else:
            emit(handler, line[0])
            written = at
    handler.close()
    return handler.lost


def main():
    for line in sys.stdin:
        scenario = json.loads(line)
        hits = set() if scenario["adjusted"] else None
        run = run_size if scenario["kind"] == "size" else run_time
        lost = run(scenario, hits)
        print(json.dumps({"hits": sorted(hits or ()), "lost": lost}), flush=True)


main()
