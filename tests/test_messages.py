from __future__ import annotations

import string
from pathlib import Path

import pytest

import catalogues
from sidelight.messages import LANGUAGES, match_language, msg, translator

CALLS = list(catalogues.calls())
TRANSLATIONS = [
    (template, translation)
    for language in catalogues.languages()
    for template, translation in catalogues.translations(language).items()
]
EXPLAIN = msg("Explain with Sidelight")
PO = "locale/zh_CN/LC_MESSAGES/sidelight.po"


def places(template: str) -> list[str]:
    """Return the named places of a template, in alphabetical order, as often as they occur."""
    return sorted(name for _, name, _, _ in string.Formatter().parse(template) if name is not None)


def test_the_catalogues_are_complete_and_compiled() -> None:
    assert catalogues.check() == []


def test_every_language_has_a_catalogue() -> None:
    assert {path.name for path in catalogues.languages()} == set(LANGUAGES) - {"en"}


def test_a_catalogue_is_the_same_every_time_it_is_made() -> None:
    templates = [call.template for call in CALLS]
    for language in catalogues.languages():
        assert catalogues.make(language, templates) == catalogues.make(language, reversed(templates))


def test_no_catalogue_names_a_machine_a_person_or_a_day() -> None:
    for language in catalogues.languages():
        po = catalogues.files(language)[0].read_text("utf-8")
        for told in ("#:", "@", "-Date", "Generated-By", "fuzzy", "#~"):
            assert told not in po, told


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with one sentence and one language, without a catalogue yet."""
    (tmp_path / "locale" / "zh_CN" / "LC_MESSAGES").mkdir(parents=True)
    (tmp_path / "greeting.py").write_text("msg('Good '\n    '{day}.', day=1)\n")
    return tmp_path


def test_a_sentence_without_a_translation_is_reported(package: Path) -> None:
    assert catalogues.update(package) == [f"{PO} has no translation for 'Good {{day}}.'."]


def test_a_translation_that_is_not_compiled_is_reported(package: Path) -> None:
    catalogues.update(package)
    po = (
        (package / PO)
        .read_text("utf-8")
        .replace('msgid "Good {day}."\nmsgstr ""', 'msgid "Good {day}."\nmsgstr "{day}好。"')
    )
    (package / PO).write_text(po, "utf-8")
    assert catalogues.check(package) == [f"{PO} is not compiled; run `make messages`."]
    assert catalogues.update(package) == []


def test_a_sentence_that_left_the_code_is_reported_and_dropped(package: Path) -> None:
    catalogues.update(package)
    (package / "greeting.py").write_text("")
    assert catalogues.check(package) == [f"{PO} does not hold the sentences of the code; run `make messages`."]
    assert catalogues.update(package) == []
    assert "day" not in (package / PO).read_text("utf-8")


def test_a_fuzzy_translation_counts_as_none(package: Path) -> None:
    (package / PO).write_text('msgid ""\nmsgstr ""\n\n#, fuzzy\nmsgid "Good {day}."\nmsgstr "{day}"\n', "utf-8")
    assert catalogues.update(package) == [f"{PO} has no translation for 'Good {{day}}.'."]


def test_a_template_inside_an_f_string_is_found(package: Path) -> None:
    (package / "greeting.py").write_text("x = f\"> {write(msg('Good night.'))}\"\n")
    assert [call.template for call in catalogues.calls(package)] == ["Good night."]


def test_a_template_that_is_no_literal_is_refused(package: Path) -> None:
    (package / "greeting.py").write_text("msg(f'Good {day}.')\n")
    with pytest.raises(SystemExit, match=r"greeting\.py:1"):
        catalogues.check(package)


def test_every_template_is_given_the_values_that_it_names_and_no_others() -> None:
    assert [call for call in CALLS if set(places(call.template)) != call.names] == []


def test_every_sentence_can_be_filled_and_has_no_stray_braces() -> None:
    assert [text for pair in TRANSLATIONS for text in pair if not is_well_formed(text)] == []


def is_well_formed(text: str) -> bool:
    """Tell whether the places of a text are plain names, and there are no braces but theirs."""
    return all(
        not {"{", "}"} & set(literal)
        and (name is None or (name.isidentifier() and not specification and not conversion))
        for literal, name, specification, conversion in string.Formatter().parse(text)
    )


def test_every_translation_has_the_places_of_its_template() -> None:
    assert [pair for pair in TRANSLATIONS if places(pair[0]) != places(pair[1])] == []


@pytest.mark.parametrize("mark", ["`", "**", "SIDELIGHT_", "ANYTHINGLLM_"])
def test_every_translation_leaves_code_and_variables_as_they_are(mark: str) -> None:
    assert [pair for pair in TRANSLATIONS if pair[0].count(mark) != pair[1].count(mark)] == []


@pytest.mark.parametrize("locale", ["zh-cn", "zh_CN.UTF-8", "zh-Hans", "zh", "ZH-CN"])
def test_chinese_is_written_for_every_way_to_ask_for_it(locale: str) -> None:
    assert match_language(locale) == "zh_CN"
    assert translator(locale)(EXPLAIN) == "用 Sidelight 解释"


@pytest.mark.parametrize("locale", ["en", "en_GB.UTF-8", "C", "C.UTF-8", "POSIX", "", "de", "tlh"])
def test_english_is_written_for_everybody_else(locale: str) -> None:
    assert match_language(locale) == "en"
    assert translator(locale)(EXPLAIN) == "Explain with Sidelight"


def test_a_message_within_a_message_is_translated_too() -> None:
    origin = msg("the file {path}", path="/a/.env")
    message = msg("Unknown setting {key} in {origin}.", key="X", origin=origin)
    assert str(message) == "Unknown setting X in the file /a/.env."
    assert translator("zh-cn")(message) == "未知设置 X（来自文件 /a/.env）。"


@pytest.mark.parametrize("locale", ["en", "zh-cn"])
def test_braces_in_values_are_not_filled_again(locale: str) -> None:
    inner = msg("The answer is in {path}", path="{path} {0} {")
    shown = translator(locale)(msg("Not applied: {reason}", reason=inner))
    assert shown.endswith("{path} {0} {")


def test_a_sentence_that_no_catalogue_holds_is_shown_in_english() -> None:
    assert translator("zh-cn")(msg("Nobody says {this}.", this="that")) == "Nobody says that."


def test_an_empty_sentence_stays_empty() -> None:
    assert translator("zh-cn")(msg("")) == ""
