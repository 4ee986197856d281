"""Placeholders in a model's code: lines such as ``# ... rest unchanged`` that stand for code left out."""

from __future__ import annotations

import re

from sidelight.editing.text import split_lines

# A line that stands for code left out. Those with an ellipsis first need one word of the first expression; others
# must be made of the known words alone, since "# Sort the remaining items" is an ordinary comment.
_ELLIPSIS = re.compile(r"(?:\.{3,}|…+)")
_COMMENT = re.compile(r"(?:\{?/\*+|//+|#+|<!--+|--+|;+|%+)\s*")
_COMMENT_END = re.compile(r"\s*(?:\*/\}?|--+>)$")
_SPREAD = re.compile(r"\.{3}[\w.$]+(?: as [\w.]+)?[,;]?$")
_LEFT_OUT = re.compile(
    r"\b(?:existing|rest|unchanged|same|remain(?:s|ing|der)?|omitted|previous|other|original|as before|untouched)\b"
    r"|其余|其餘|其他|其它|剩余|剩下|余下|不变|不變|省略|现有|已有|原有|原来|同上|相同|一致|原样|未改|未变|之前",
    re.IGNORECASE,
)
_PART = r"(?:code|file|function|class|method|module|implementation|logic|body|script|component|content)s?"
_STATE = (
    r"(?: (?:is|are|was|remains?|stays?|kept))?(?: exactly)?(?: the)? "
    r"(?:unchanged|untouched|unmodified|omitted|same|as (?:it )?(?:is|was|before)|here|goes here)"
    r"(?: as (?:before|above))?(?: for brevity)?"
)
_PHRASE = re.compile(
    rf"(?:keep |leave )?(?:the |your |all |all the )?(?:"
    rf"(?:rest|remainder) of (?:the |your |this )?{_PART}(?:{_STATE})?"
    rf"|(?:existing|remaining) (?:code|implementation|logic|imports|methods|functions)(?:{_STATE})?"
    rf"|(?:(?:rest|remainder|everything else|code)|(?:other|previous|original|remaining|existing) \w+){_STATE}"
    rf"|unchanged|omitted|unmodified|same as before|no changes?(?: here)?|(?:code )?omitted for brevity)"
)
_PHRASE_ZH = re.compile(
    r"(?:此处|这里)?(?:其余|其餘|其他|其它|剩余|剩下|余下|现有|已有|原有|原来|之前)的?"
    r"(?:代码|程式碼|部分|内容|函数|方法|逻辑|实现)(?:都|均|也)?"
    r"(?:(?:保持|维持)?(?:不变|不變|原样)|已?省略|略|未(?:改动|修改|变)|(?:与|和|同)(?:之前|原来)(?:相同|一致|一样)|同上)?"
    r"|(?:此处|这里)?(?:代码|程式碼|其余|其餘|其他|其它)?(?:保持不变|保持不變|不变|不變|已省略|省略|未改动|未修改)"
)


def left_out(code: str, replaced: str) -> str | None:
    """Return the first line of ``code`` that stands for code left out, such as ``# ... rest unchanged``.

    A line that stands in ``replaced`` is the user's own.
    """
    own = {line.strip() for line in split_lines(replaced)}
    lines = (line.strip() for line in split_lines(code))
    return next((line for line in lines if line and line not in own and stands_for_code(line)), None)


def stands_for_code(line: str) -> bool:
    """Whether the line, without its indentation, stands for code left out; the line alone decides."""
    comment = _COMMENT.match(line)
    said = _COMMENT_END.sub("", line[comment.end() :] if comment else line).strip("()[]<>（）【】 \t")
    if _ELLIPSIS.match(said) and (comment or not _SPREAD.match(line)):
        return _LEFT_OUT.search(said) is not None
    phrase = _ELLIPSIS.sub("", said).strip(" \t.,:;!。，：").lower()
    return comment is not None and any(known.fullmatch(phrase) for known in (_PHRASE, _PHRASE_ZH))
