"""A headless Chromium with a real keyboard, spoken to through a pipe: DevTools' protocol, and nothing to install."""

import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATH = next((path for name in NAMES if (path := shutil.which(name))), None)

# Chromium reads orders from descriptor 3 and writes answers to 4.
_LAUNCH = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
_KEYS = {"Enter": ("\r", 13), "Tab": ("", 9), "ArrowRight": ("", 39), "ArrowDown": ("", 40), "Home": ("", 36)}


class Page:
    """A page opened from disk; ``with Page(path, folder) as page``.

    Parameters
    ----------
    path : Path
    folder : Path
        Empty one for the browser.
    width : int
        Of the window, in CSS pixels.
    """

    def __init__(self, path, folder, width=1200):
        self._path, self._count, self._buffer, self.events = path, 0, b"", []
        orders, self._write = os.pipe()
        self._read, answers = os.pipe()
        # (Above 4, that none is overwritten.)
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (orders, answers)]
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"]
        flags += ["--remote-debugging-pipe", f"--user-data-dir={folder}", f"--window-size={width},900", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCH, *map(str, ends), PATH, *flags], pass_fds=ends, stderr=subprocess.DEVNULL
        )
        for end in (orders, answers, *ends):
            os.close(end)

    def __enter__(self):
        try:
            target = self._send("Target.createTarget", url="about:blank")["targetId"]
            self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Network", "Log"):
                self.send(f"{domain}.enable")
            self.send("Page.navigate", url=self._path.as_uri())
            self.wait("document.readyState === 'complete' && location.protocol === 'file:'")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        os.close(self._write)
        os.close(self._read)
        self._process.terminate()
        self._process.wait()

    def send(self, method, **parameters):
        """An order to the page, and its answer."""
        return self._send(method, session=self._session, **parameters)

    def run(self, script):
        """Value of some JavaScript."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key, times=1):
        """A key, as by a hand."""
        text, code = _KEYS[key]
        about = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        for _ in range(times):
            self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
            self.send("Input.dispatchKeyEvent", type="keyUp", **about)

    def drag(self, *places):
        """The mouse, held down, along some places."""
        kinds = ["mousePressed", *["mouseMoved"] * (len(places) - 2), "mouseReleased"]
        for kind, (x, y) in zip(kinds, places, strict=True):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def wait(self, script):
        """Until some JavaScript is true."""
        end = time.monotonic() + 60
        while not self.run(script):
            assert time.monotonic() < end, script
            time.sleep(0.05)

    def _send(self, method, session=None, **parameters):
        self._count += 1
        order = {"id": self._count, "method": method, "params": parameters}
        order |= {"sessionId": session} if session else {}
        os.write(self._write, json.dumps(order).encode() + b"\0")
        while (answer := self._next()).get("id") != self._count:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _next(self):
        while b"\0" not in self._buffer:
            assert select.select([self._read], [], [], 120)[0], "the browser does not answer"
            more = os.read(self._read, 1 << 16)
            assert more, "the browser has ended"
            self._buffer += more
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)
