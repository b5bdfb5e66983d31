import pytest

from entropy.errors import ConfigurationError
from entropy.items import Recipe, RepositoryConfig, Setup
from entropy.repository import parse_config
from entropy.settings import SandboxBounds

RECIPE = b'[[recipe]]\nname = "n"\nlabel = "recipe:n"\ncommand = ["true"]\n'


def test_no_file_is_an_empty_configuration() -> None:
    assert parse_config(None) == RepositoryConfig() == parse_config(b"")


def test_everything_at_once() -> None:
    config = parse_config(
        b'test = ["python", "-m", "pytest", "-q"]\n'
        b'[[recipe]]\nname = "spdx-headers"\nlabel = "recipe:spdx"\ntitle = "Add SPDX licence headers"\n'
        b'command = "python \'.entropy/add headers.py\' src"\npaths = ["src/**/*.py"]\n'
    )
    assert config.test == ("python", "-m", "pytest", "-q")
    assert config.recipes == (
        Recipe(
            name="spdx-headers",
            label="recipe:spdx",
            title="Add SPDX licence headers",
            command=("python", ".entropy/add headers.py", "src"),
            paths=("src/**/*.py",),
        ),
    )


def test_a_tighter_sandbox() -> None:
    config = parse_config(b"[sandbox]\nmemory_mib = 512\ncpus = 1\nnetwork = ['setup']\nimage = 'small:1'\n")
    assert config.sandbox == SandboxBounds(memory_mib=512, cpus=1, network=("setup",), image="small:1")
    assert RepositoryConfig.model_validate_json(config.model_dump_json()) == config


def test_a_setup() -> None:
    config = parse_config(b"[setup]\ncommand = 'pip install -r a/dev.txt'\nfiles = ['a/dev.txt', 'b.lock']\n")
    assert config.setup == Setup(command=("pip", "install", "-r", "a/dev.txt"), files=("a/dev.txt", "b.lock"))
    assert RepositoryConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b'tests = "pytest"', ".entropy.toml: tests is not a key; did you mean test?"),
        (b"colour = 1", ".entropy.toml: colour is not a key; the keys are test, recipe, sandbox, setup."),
        (b"test = 3", ".entropy.toml: test is not a command; write a string or a list of strings."),
        (b"test = [1]", ".entropy.toml: test is not a command; write a string or a list of strings."),
        (b'test = ""', ".entropy.toml: test is empty; name the program to run, or leave the key out."),
        (b"test = 'a \"b'", ".entropy.toml: test cannot be split into words (No closing quotation); "),
        (b"recipe = 1", ".entropy.toml: recipe is not a list of tables; begin each recipe with [[recipe]]."),
        (b"[recipe]\nname = 'n'", ".entropy.toml: recipe is not a list of tables; begin each recipe with [[recipe]]."),
        (RECIPE + b'lable = "x"', ".entropy.toml: recipe 1: lable is not a key; did you mean label?"),
        (b'[[recipe]]\nname = "n"\nlabel = "l"', ".entropy.toml: recipe 1: command is missing; add it."),
        (RECIPE.replace(b'"n"', b"1"), ".entropy.toml: recipe 1: name is not a string; put it in quotes."),
        (RECIPE + b'paths = "src"', ".entropy.toml: recipe 1: paths is not a list of strings; write one."),
        (RECIPE + b"paths = [1]", ".entropy.toml: recipe 1: paths is not a list of strings; write one."),
        (RECIPE + b"paths = []", ".entropy.toml: recipe 1: paths is empty; "),
        (RECIPE + RECIPE, ".entropy.toml: two recipes have the name 'n'; give each its own."),
        (b"sandbox = 1", ".entropy.toml: sandbox is not a table; begin it with [sandbox]."),
        (b"setup = 1", ".entropy.toml: setup is not a table; begin it with [setup]."),
        (b"[setup]\ncomand = 'x'", ".entropy.toml: setup: comand is not a key; did you mean command?"),
        (b"[setup]\ncommand = 'x'", ".entropy.toml: setup: files is missing; add it."),
        (b"[setup]\nfiles = ['a']", ".entropy.toml: setup: command is missing; add it."),
        (b"[setup]\ncommand = ''\nfiles = ['a']", ".entropy.toml: setup: command is empty; name the program to run"),
        (b"[setup]\ncommand = 'x'\nfiles = 'a'", ".entropy.toml: setup: files is not a list of strings; write one."),
        (b"[setup]\ncommand = 'x'\nfiles = []", ".entropy.toml: setup: files does not name 1 to 20 different files; "),
        (b"[setup]\ncommand = 'x'\nfiles = ['a', 'a']", ".entropy.toml: setup: files does not name 1 to 20 "),
        *(
            (f"[setup]\ncommand = 'x'\nfiles = ['{path}']".encode(), f".entropy.toml: setup: files names '{path}'; ")
            for path in ("/etc/passwd", "../a", "a/../b", ".git/config", "a//b", "./a", "")
        ),
        (b"[sandbox]\nmemory = 1", ".entropy.toml: sandbox: memory is not a key; did you mean memory_mib?"),
        (b"[sandbox]\npids = 1", ".entropy.toml: sandbox: pids is not usable: input should be greater than"),
        (b"[sandbox]\npids = '64'", ".entropy.toml: sandbox: pids is not usable: input should be a valid integer"),
        (b"[sandbox]\ncpus = nan", ".entropy.toml: sandbox: cpus is not usable: input should be "),
        (b"[sandbox]\ntimeout = inf", ".entropy.toml: sandbox: timeout is not usable: input should be a finite number"),
        (b"[sandbox]\nnetwork = ['test']", ".entropy.toml: sandbox: network is not usable: input should be 'setup' or"),
        (
            b"[sandbox]\nnetwork = 'setup'",
            ".entropy.toml: sandbox: network is not usable: input should be a valid tuple",
        ),
        (b"test = ", ".entropy.toml is not TOML: Invalid value (at end of document); correct it there."),
        (b"a = 1\nb = !", ".entropy.toml is not TOML: Invalid value (at line 2, column 5); correct it there."),
        (b"\xff", ".entropy.toml is not UTF-8 at byte 0; save it as UTF-8."),
        (b"a = " + b"[" * 20_000, ".entropy.toml nests too deeply; write it flat."),
        (b"#" * 70_000, ".entropy.toml is larger than 64 KiB; make it smaller."),
    ],
)
def test_a_mistake_is_one_sentence_with_the_next_step(text: bytes, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_config(text)
    assert str(caught.value).startswith(sentence)
