"""A program on a terminal of the test's own: keys in, the screen out."""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
import unicodedata

COLUMNS, ROWS = 110, 36
SECONDS = 60
# longer than between two pieces of a frame, shorter than between two frames of a spinner
PAUSE = 0.03
# a control sequence, another escape, or one character
PART = re.compile("\x1b\\[([0-9;?<>]*)[ -/]*([@-~])|\x1b[^\\[]|(.)", re.DOTALL)


class Terminal:
    """What the program wrote, as far as it is put into cells: colours are left out."""

    def __init__(self, arguments, environment):
        self.pid, self.device = pty.fork()
        if self.pid == 0:
            os.execvpe(arguments[0], arguments, {**environment, "TERM": "xterm-256color"})
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(self.device, termios.TIOCSWINSZ, size)
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.cells = [[" "] * COLUMNS for _ in range(ROWS)]
        self.row = self.column = 0
        self.rest = ""
        # all of it, as it came
        self.said = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.device)

    def screen(self):
        return "\n".join("".join(row).rstrip() for row in self.cells)

    def marked(self):
        """The row under the cursor."""
        return next((line for line in self.screen().splitlines() if "▸" in line), "")

    def send(self, keys):
        os.write(self.device, keys.encode())

    def wait_for(self, *texts):
        """Reads until all of `texts` are on the screen."""
        return self.wait_until(lambda: all(text in self.screen() for text in texts), texts)

    def wait_until(self, is_there, what):
        end = time.monotonic() + SECONDS
        # a frame comes in pieces: on half of one the one before may still stand
        while self.is_written_to(PAUSE) or not is_there():
            if not self.is_written_to(max(0, end - time.monotonic())):
                raise AssertionError(f"no {what} on\n{self.screen()}")
            try:
                self.take(os.read(self.device, 65536))
            except OSError:
                raise AssertionError(f"it ended before {what}\n{self.screen()}") from None
        return self.screen()

    def is_written_to(self, seconds):
        """Whether something comes within so long."""
        ready, _, _ = select.select([self.device], [], [], seconds)
        return bool(ready)

    def go_to(self, text):
        """Moves the cursor, row by row, until it marks the row of `text`."""
        for _ in range(ROWS):
            self.wait_for("▸", text)
            before = self.marked()
            if text in before:
                return
            rows = self.screen().splitlines()
            target = next(at for at, row in enumerate(rows) if text in row)
            self.send("k" if target < rows.index(before) else "j")
            self.wait_until(lambda: self.marked() != before, f"row of {text}")
        raise AssertionError(f"no row of {text} on\n{self.screen()}")

    def end(self, keys):
        """Types `keys`, which end it; gives its exit code."""
        self.send(keys)
        try:
            while os.read(self.device, 65536):
                pass
        except OSError:
            # a terminal whose other side is gone answers EIO
            pass
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def take(self, written):
        decoded = self.decoder.decode(written)
        self.said += decoded
        text = self.rest + decoded
        # a sequence that is not there to its end waits for it
        cut = re.search("\x1b(\\[[0-9;?<> -/]*)?$", text)
        self.rest = text[cut.start() :] if cut else ""
        for found in PART.finditer(text[: cut.start()] if cut else text):
            numbers, verb, character = found.groups()
            if verb:
                self.control(numbers, verb)
            elif character:
                self.put(character)

    def control(self, numbers, verb):
        given = [int(number) for number in re.findall("[0-9]+", numbers)]
        first = given[0] if given else 1
        match verb:
            case "H" | "f":
                self.row, self.column = first - 1, (given[1] if len(given) > 1 else 1) - 1
            case "A":
                self.row -= first
            case "B":
                self.row += first
            case "C":
                self.column += first
            case "D":
                self.column -= first
            case "G":
                self.column = first - 1
            case "J":
                self.cells = [[" "] * COLUMNS for _ in range(ROWS)]
            case "K":
                self.cells[self.row][self.column :] = [" "] * (COLUMNS - self.column)

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row = min(self.row + 1, ROWS - 1)
        elif character == "\b":
            self.column = max(self.column - 1, 0)
        elif character >= " " and self.row < ROWS and self.column < COLUMNS:
            self.cells[self.row][self.column] = character
            self.column += 1
            if unicodedata.east_asian_width(character) in "WF" and self.column < COLUMNS:
                # the second half of a wide one
                self.cells[self.row][self.column] = ""
                self.column += 1
