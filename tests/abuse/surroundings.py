"""Attacks on what the worker and the machine know: environments, files, memory, open files."""

from tests.abuse.attack import WON, Attack

TOKEN = "the worker's token"
FILES = "the machine's files"
SEARCH = r"""
import json, re
target = json.loads(sys.argv[1])
TOKEN = re.compile(rb"canary-[0-9a-f]{32}")
def found(*paths):
    last = None
    for path in paths:
        try:
            with open(path, "rb") as file:
                match = TOKEN.search(file.read(1 << 20))
        except OSError as error:
            last = error
            continue
        if match:
            return "%s in %s" % (match[0].decode()[:12], path)
    if last:
        raise last
"""


def _search(name: str, wanted: str, body: str, *, control: tuple[str, ...] = (WON,)) -> Attack:
    return Attack(name, wanted, SEARCH + body, control=control)


TABLE = [
    _search("its own environment", TOKEN, 'return found("/proc/self/environ")'),
    _search(
        "environment of PID 1, and of all processes",
        TOKEN,
        'import glob\nreturn found("/proc/1/environ", *sorted(glob.glob("/proc/[0-9]*/environ")))',
    ),
    _search(
        "command lines of all processes",
        TOKEN,
        'import glob\nreturn found(*sorted(glob.glob("/proc/[0-9]*/cmdline")))',
    ),
    _search(
        "memory of all processes",
        TOKEN,
        """
import glob
for maps in sorted(glob.glob("/proc/[0-9]*/maps")):
    process = maps.split("/")[2]
    if process in (str(os.getpid()), "self"):
        continue
    try:
        areas = [line.split()[0] for line in open(maps) if "[stack]" in line]
        with open("/proc/%s/mem" % process, "rb", 0) as memory:
            for area in areas:
                start, end = (int(part, 16) for part in area.split("-"))
                memory.seek(start)
                if TOKEN.search(memory.read(end - start)):
                    return "the memory of process " + process
    except OSError:
        pass
""",
    ),
    _search("a credentials file by its path", TOKEN, 'return found(target["file"])'),
    _search("a credentials file through PID 1", TOKEN, 'return found("/proc/1/root" + target["file"])'),
    _search(
        "a credentials file through any process",
        TOKEN,
        'import glob\nreturn found(*(root + target["file"] for root in glob.glob("/proc/[0-9]*/root")))',
    ),
    _search(
        "a credentials file past the top of the tree",
        TOKEN,
        'return found("/".join([".."] * 40) + target["file"], "/workspace/" + "../" * 40 + target["file"])',
    ),
    _search(
        "a credentials file through a link",
        TOKEN,
        """
import tempfile
link = os.path.join(tempfile.mkdtemp(), "link")
os.symlink(target["file"], link)
return found(link)
""",
    ),
    _search(
        "home folders of the machine",
        "keys and tokens of people",
        """
import glob
KEPT = (".ssh", ".netrc", ".bashrc", ".profile", ".cache", ".config", ".gitconfig", ".docker", ".aws")
homes = ["/root", *glob.glob("/home/*")]
return next((path for home in homes for name in KEPT if os.path.exists(path := home + "/" + name)), None)
""",
    ),
    _search(
        "password hashes",
        "passwords to guess",
        'return "hashes" if "$" in open("/etc/shadow").read() else None',
        control=(WON, "nothing"),
    ),
    _search(
        "the folder of all sandboxes",
        "workspaces of other runs",
        'return ", ".join(os.listdir(target["sandboxes"])) or None',
    ),
    _search(
        "the daemon's folders",
        "file systems of other sandboxes",
        'return os.listdir("/var/lib/docker")',
        control=(WON, "ENOENT"),
    ),
    _search(
        "the worker's own code and configuration",
        "the code that judges it, to change it",
        'return opened(target["code"], os.O_WRONLY)',
    ),
    _search(
        "tokens of a cluster's pod",
        "a pod with all rights",
        'return os.listdir("/var/run/secrets/kubernetes.io/serviceaccount")',
        control=(WON, "ENOENT"),
    ),
    _search(
        "files that were left open",
        "a way around the root folder",
        """
for number in os.listdir("/proc/self/fd"):
    if int(number) > 2:
        try:
            place = os.readlink("/proc/self/fd/" + number)
        except OSError:
            continue
        if not place.startswith("/proc/") and not place.startswith("pipe:"):
            return place
""",
    ),
    _search(
        "pipes that were left open",
        "to forge what the worker is told",
        """
for number in os.listdir("/proc/self/fd"):
    if int(number) > 2:
        try:
            place = os.readlink("/proc/self/fd/" + number)
        except OSError:
            continue
        if place.startswith(("pipe:", "socket:")):
            return place
""",
    ),
    _search(
        "the machine's name",
        "which machine to attack next",
        'return target["hostname"] if os.uname().nodename == target["hostname"] else None',
    ),
    _search(
        "places on the machine that the list of mounts names",
        "workspaces of other runs",
        r"""
text = open("/proc/self/mountinfo").read()
places = re.findall(r"/[^ ,:=]*/(?:sandboxes|docker|entropy-sandbox)/[^ ,:]*", text)
for place in places:
    if os.path.exists(place):
        return place
""",
    ),
]
