"""A Chromium of Debian's packages without a screen, driven by selenium."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

_SECONDS = 60
_CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
_DRIVER = shutil.which("chromedriver")


class Browser:
    """One window."""

    def __init__(self, driver: webdriver.Chrome):
        self.driver = driver

    def open(self, path: Path, width: int = 1200, height: int = 900, scheme: str = "light") -> None:
        """Opens a page of charts, and waits until each has been tried."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._devtools("Emulation.setEmulatedMedia", features=features)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._devtools("Emulation.setDeviceMetricsOverride", **size)
        self.driver.get_log("browser")  # what came before is forgotten
        self.driver.get(path.absolute().as_uri())
        self.wait(
            "const charts = [...document.querySelectorAll('.chart')];"
            "return charts.length && charts.every((one) => one.dataset.drawn)"
        )

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script gives."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str) -> None:
        """Until a script gives what is true."""
        until: Callable[[Any], bool] = lambda driver: bool(driver.execute_script(script))  # noqa: E731
        WebDriverWait(self.driver, _SECONDS).until(until)

    def complaints(self) -> list[str]:
        """What the console of the page says, since it was opened."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def print_media(self, *, on: bool) -> None:
        """Shows the page as it is printed."""
        self._devtools("Emulation.setEmulatedMedia", media="print" if on else "")

    def picture(self, path: Path) -> None:
        """All of the page."""
        height = self.run("return document.documentElement.scrollHeight")
        width = self.run("return window.innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = self._devtools("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        import base64

        path.write_bytes(base64.b64decode(shot["data"]))

    def _devtools(self, command: str, **parameters: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, parameters)


@contextlib.contextmanager
def running() -> Iterator[Browser]:
    """Starts a browser that knows nothing; at the end it is stopped and its folder removed."""
    if _CHROMIUM is None or _DRIVER is None:
        pytest.skip("no Chromium: apt-get install chromium chromium-driver")
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        options = webdriver.ChromeOptions()
        options.binary_location = _CHROMIUM
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        for argument in (
            "--headless=new",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            f"--user-data-dir={folder}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
        ):
            options.add_argument(argument)
        driver = webdriver.Chrome(options, webdriver.ChromeService(_DRIVER))
        try:
            yield Browser(driver)
        finally:
            driver.quit()
