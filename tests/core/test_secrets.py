"""Secrets: which files are for them, what in a text looks like one, and how they come back."""

from __future__ import annotations

import random
import re
import string
import sysconfig
from pathlib import Path
from time import thread_time

import pytest

from sidelight.core.secret_patterns import find_secrets, looks_random
from sidelight.core.secrets import Mask, is_secret_file, refuse_secret_file
from sidelight.errors import UsageError

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
SEED = 20261


def drawn(alphabet: str, length: int, rng: random.Random) -> str:
    return "".join(rng.choices(alphabet, k=length))


def some(alphabet: str, length: int, number: int = 0) -> str:
    """A value that looks random, the same in every run: no test holds what looks like a key itself."""
    rng = random.Random(SEED + number)
    while not looks_random(value := drawn(alphabet, length, rng)):
        pass
    return value


SECRETS = {
    "aws": "AKIA" + some(string.ascii_uppercase + string.digits, 16),
    "github": "ghp_" + some(ALNUM, 36),
    "github fine": "github_pat_" + some(ALNUM, 60),
    "gitlab": "glpat-" + some(ALNUM, 20),
    "slack": "xoxb-2" + some(ALNUM, 30),
    "stripe": "sk_live_" + some(ALNUM, 24),
    "google": "AIza" + some(ALNUM, 35),
    "openai": "sk-proj-" + some(ALNUM + "_-", 80),
    "anthropic": "sk-ant-api03-" + some(ALNUM, 93),
    "dashscope": "sk-" + some(HEX, 32),
    "huggingface": "hf_" + some(ALNUM, 34),
    "npm": "npm_" + some(ALNUM, 36),
    "jwt": f"eyJ{some(ALNUM, 33)}.eyJ{some(ALNUM, 40)}.{some(ALNUM + '-_', 43)}",
    "anythingllm": "-".join(some(string.ascii_uppercase + string.digits, 28, 4)[at : at + 7] for at in range(0, 28, 7)),
}
VALUE, PASSWORD = some(ALNUM, 24, 1), some(ALNUM + "!?#", 14, 2)


@pytest.mark.parametrize("kind", SECRETS)
def test_a_token_of_a_known_kind_is_masked_wherever_it_stands(kind: str) -> None:
    secret = SECRETS[kind]
    mask = Mask()
    hidden = mask.hide(f"# call it with {secret}, or so\n")
    assert secret not in hidden, hidden
    assert re.fullmatch(r"# call it with SIDELIGHT_SECRET_\w+, or so\n", hidden), hidden
    assert mask.restore(hidden) == f"# call it with {secret}, or so\n"
    assert mask.count_in(hidden) == 1


@pytest.mark.parametrize(
    "line",
    [
        'password = "{}"', "DB_PASSWORD={}", "api_key: {}", '"apiKey": "{}",', "const clientSecret = '{}';",
        'os.environ["API_KEY"] = "{}"', "<password>{}</password>", 'token: str = "{}"', "secret := `{}`",
        'headers = {{"Authorization": "Bearer {}"}}', "Authorization: Basic {}", "postgres://app:{}@db.local/shop",
        'client = Client(url, access_key="{}")', 'getenv("SECRET_KEY", "{}")', "--token={}", '"private-key" => "{}"',
        "AccountKey={}" + 40 * "q" + "==",
    ],
)  # fmt: skip
def test_a_random_value_is_masked_where_a_name_speaks_of_a_secret(line: str) -> None:
    line = line.format(VALUE)
    mask = Mask()
    hidden = mask.hide(line)
    assert VALUE not in hidden, hidden
    assert mask.restore(hidden) == line


def test_a_password_with_all_kinds_of_characters_is_masked() -> None:
    assert PASSWORD not in Mask().hide(f'DB_PASSWORD = "{PASSWORD}"')


@pytest.mark.parametrize(
    "line",
    [
        'password = os.environ["DB_PASSWORD"]', 'api_key = os.getenv("OPENAI_API_KEY")', 'password = ""',
        'password = "changeme"', 'api_key = "your-api-key-here-1234"', 'token = "<token>"',
        'secret = "${SECRET_KEY_1}"',
        "token = self.tokens1.next2.value", "token = generate_token_v2_from_seed(1)", "http://{user}:{password}@host",
        "postgres://user:password@localhost/db", "sk-folding-cube-animation-long-class-name", 'api_key = "sk-..."',
        'token_type = "urn:ietf:params:oauth:token-type:access_token"', "passed: 1234567890123456789",
        'keyword_token = "NUMBER2_STRING3_OP4"', 'private_key_file = "/etc/ssl/private/server2.pem"',
        "secret_key = settings.AWS2.KEY3", "def check(password: str, token: bytes) -> None:", "pass",
        "AKIAIOSFODNN7EXAMPLE",
        "git+ssh://git@example.com:team/repo",
        "-----BEGIN PUBLIC KEY-----\n" + 64 * "aB3" + "\n-----END PUBLIC KEY-----",
    ],
)  # fmt: skip
def test_what_is_no_secret_is_left_alone(line: str) -> None:
    assert Mask().hide(line) == line


def test_random_values_are_found_whatever_alphabet_they_are_of() -> None:
    rng = random.Random(SEED)
    print("seed", SEED)
    for alphabet in (HEX, ALNUM, ALNUM + "+/", ALNUM + "-_"):
        found = sum(bool(find_secrets(f'api_key = "{drawn(alphabet, 32, rng)}"')) for _ in range(300))
        assert found >= 0.93 * 300, (alphabet, found)


def test_hardly_anything_of_the_standard_library_is_masked() -> None:
    root = Path(sysconfig.get_path("stdlib"))
    others = {"test", "tests", "idlelib", "site-packages", "dist-packages", "lib2to3", "__pycache__"}
    modules = sorted(path for path in root.rglob("*.py") if not others & set(path.relative_to(root).parts))
    print("seed", SEED)
    masked = []
    for path in random.Random(SEED).sample(modules, 150):
        text = path.read_text("utf-8", "replace")
        masked += [f"{path.name}: {text[max(0, span.start - 30) : span.end]!r}" for span in find_secrets(text)]
    print("\n".join(masked))
    assert len(masked) <= 1, masked


def pem(lines: int = 5) -> str:
    body = "\n".join(some(ALNUM + "+/", 64, 100 + number) for number in range(lines))
    return f'KEY = """-----BEGIN RSA PRIVATE KEY-----\n{body}\nQw==\n-----END RSA PRIVATE KEY-----"""\nrest = 1\n'


def test_a_private_key_is_masked_line_by_line_and_counts_once() -> None:
    mask = Mask()
    hidden = mask.hide(pem())
    assert [bool(re.fullmatch(r"SIDELIGHT_SECRET_\w+", line)) for line in hidden.splitlines()[1:6]] == 5 * [True]
    assert len(hidden.splitlines()) == len(pem().splitlines())
    assert mask.count_in(hidden) == 1
    assert "".join(mask.restore(line) for line in hidden.splitlines(keepends=True)) == pem()


def test_a_part_of_a_private_key_is_masked_when_its_begin_or_end_is_there_or_the_whole_is_known() -> None:
    lines = pem(8).splitlines(keepends=True)
    for part in (lines[:4], lines[4:]):
        assert not re.search(r"[A-Za-z0-9+/]{40}", Mask().hide("".join(part)))
    mask = Mask()
    mask.learn("".join(lines))
    hidden = mask.hide("".join(lines[3:5]))
    assert not re.search(r"[A-Za-z0-9+/]{40}", hidden)
    assert mask.count_in(hidden) == 1
    assert mask.count_in("rest = 1") == 0


def test_a_private_key_on_one_line_is_masked() -> None:
    body = some(ALNUM + "+/", 64)
    text = f'"-----BEGIN PRIVATE KEY-----\\n{body}\\n-----END PRIVATE KEY-----\\n"'
    assert body not in Mask().hide(text)
    assert "\\nSIDELIGHT_SECRET" in Mask().hide(text)


def test_a_secret_that_is_known_from_one_place_is_masked_where_nothing_speaks_of_it() -> None:
    mask = Mask()
    hidden = mask.hide(f'password = "{VALUE}"\nlogin(user, "{VALUE}")\n')
    assert VALUE not in hidden
    assert mask.count_in(hidden) == 1


def test_the_same_secret_has_the_same_placeholder_in_every_turn_and_another_secret_never() -> None:
    first, second = Mask(), Mask()
    second.hide(f'password = "{some(ALNUM, 24, 9)}"')
    line = f'password = "{VALUE}"'
    assert first.hide(line) == second.hide(line)
    assert first.hide(line) != first.hide(f'password = "{some(ALNUM, 24, 9)}"')


def test_a_placeholder_of_an_earlier_turn_is_restored_where_its_secret_is_known() -> None:
    text = f'password = "{VALUE}"'
    hidden, later = Mask().hide(text), Mask()
    assert later.restore(hidden) == hidden
    later.learn(text)
    assert later.restore(hidden) == text


def test_a_placeholder_that_stands_in_the_document_is_not_given_to_a_secret() -> None:
    line = f'password = "{VALUE}"'
    taken = re.findall(r"SIDELIGHT_SECRET_\w+", Mask().hide(line))[0]
    mask = Mask()
    text = f"# {taken}\n{line}\n"
    hidden = mask.hide(text)
    assert hidden.splitlines()[0] == f"# {taken}"
    assert VALUE not in hidden
    assert mask.restore(hidden) == text


def test_hiding_twice_changes_nothing_more() -> None:
    mask = Mask()
    once = mask.hide("\n".join([*SECRETS.values(), f'password = "{VALUE}"', f"http://a:{VALUE}@b", pem()]))
    assert mask.hide(once) == once
    assert Mask().restore(once) == once


HOSTILE = [
    "password" * 8, "password=", 'api_key="' + "a1B" * 40, "sk-" * 5, "sk-a1", "eyJaaaaaaaa.", "eyJ" + "a" * 60, "://a:",
    "://" + "a" * 90 + ":", "-----BEGIN PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----",
    "-----END PRIVATE KEY-----\nabcd\n", "A1B2C3D-", "authorization:bearer ", "token \t \t ", "a" * 50, "AKIA", "xox",
    "key = key[key]", "SIDELIGHT_SECRET_", "\\n" * 9, "secret: x y = ", "private_key,",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE, ids=range(len(HOSTILE)))
def test_time_grows_with_a_hostile_text_and_not_with_its_square(unit: str) -> None:
    def takes(size: int) -> float:
        text = unit * (size // len(unit))
        best = 1e9
        for _ in range(2):
            began = thread_time()
            Mask().hide(text)
            best = min(best, thread_time() - began)
        return best

    small, large = takes(30_000), takes(240_000)
    assert large < 8 * 4 * max(small, 0.001), (small, large)


def test_many_different_secrets_take_no_longer_each_than_few() -> None:
    def takes(count: int) -> float:
        text = "".join(f'token = "{some(ALNUM, 20, number)}"\n' for number in range(count))
        began = thread_time()
        assert Mask().hide(text).count("SIDELIGHT_SECRET_") == count
        return thread_time() - began

    few, many = takes(300), takes(2400)
    assert many < 8 * 4 * max(few, 0.002), (few, many)


@pytest.mark.parametrize(
    "name",
    [
        ".env", ".env.local", ".env.production", "prod.env", ".envrc", "server.pem", "tls.KEY", "id_rsa", "id_ed25519",
        ".npmrc", ".pypirc", ".netrc", "_netrc", "credentials", "credentials.json", ".git-credentials", "secrets.yaml",
        "app.keystore", "a.jks", "cert.p12", "cert.pfx", "vault.kdbx", "client_secret.json", "service-account.json",
        "config/.env", "C:\\work\\.ENV", "credentials-prod.csv", ".secrets.toml", "terraform.tfstate",
    ],
)  # fmt: skip
def test_files_for_secrets_are_known_by_their_name(name: str) -> None:
    assert is_secret_file(name)
    with pytest.raises(UsageError):
        refuse_secret_file(name)


@pytest.mark.parametrize(
    "name",
    [
        ".env.example", ".env.sample", ".env.template", ".env.local.example", "example.env", "secrets.py",
        "credentials.ts",
        "id_rsa.pub", "environment.py", "keys.py", "monkey.py", "key.md", "credentials.example", "secretary.txt", "env",
        "certificate.crt", "package.json", "credentials_test.go", "", "README",
    ],
)  # fmt: skip
def test_templates_and_code_are_no_files_for_secrets(name: str) -> None:
    assert not is_secret_file(name)
    refuse_secret_file(name)


@pytest.mark.parametrize("mark", ["+", "-", " "])
def test_a_private_key_in_a_patch_is_masked_whether_it_comes_or_goes(mark: str) -> None:
    patch = "".join(f"{mark}{line}\n" for line in pem().splitlines())
    assert not re.search(r"[A-Za-z0-9+/]{40}", Mask().hide(patch))


def test_a_word_that_is_a_password_in_an_address_is_a_word_elsewhere() -> None:
    text = 'URL = "redis://:redis@localhost"\nimport redis\n'
    mask = Mask()
    hidden = mask.hide(text)
    assert hidden.endswith("import redis\n")
    assert ":redis@" not in hidden
    assert mask.restore(hidden) == text


def test_a_number_behind_a_secret_stays_behind_it() -> None:
    text = f"name = {SECRETS['github']}_12\n"
    mask = Mask()
    hidden = mask.hide(text)
    assert SECRETS["github"] not in hidden
    assert mask.restore(hidden) == text


@pytest.mark.parametrize("beginning", ["sk-", "sk-proj-", "sk-svcacct-", "sk-admin-", "sk-ant-api03-", "sk-or-v1-"])
@pytest.mark.parametrize("length", [24, 48, 100])
def test_a_key_of_a_known_vendor_is_masked_whatever_its_letters_happen_to_spell(beginning: str, length: int) -> None:
    seed = 7
    print(f"seed {seed}")
    dice = random.Random(seed)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    for _ in range(100):
        key = beginning + "".join(dice.choice(letters + "0123456789") for _ in range(length - 1)) + "7"
        for text in (key, f'KEY = "{key}"', f"Is {key} right?"):
            assert key not in Mask().hide(text), text
