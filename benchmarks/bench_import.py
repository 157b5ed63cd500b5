"""What ``import deconv`` costs."""

import subprocess
import sys


class Import:
    """In a fresh interpreter."""

    def timeraw_import(self):
        return "import deconv"

    def timeraw_import_blind(self):
        return "import deconv; deconv.blind"

    def track_modules(self):
        """Modules that are loaded, beyond those of Python itself: the lazy names keep it small."""
        code = "import sys; before = len(sys.modules); import deconv; print(len(sys.modules) - before)"
        return int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)

    track_modules.unit = "modules"
