"""Placeholders in a model's code: lines such as ``# ... rest unchanged`` that stand for code left out.

What a line says decides, not where it stands, save for dots alone: those are code in some places of some languages.
A comment must be made of known words from its beginning to its end, since "# Sort the remaining items" is an ordinary
one; with an ellipsis before it, one known word is enough.
"""

from __future__ import annotations

import re

from sidelight.editing.languages import is_markup, language_of
from sidelight.editing.text import split_lines

_ELLIPSIS = re.compile(r"(?:\.{3,}|…+|⋮)")
_DOTS = re.compile(r"[\[(（【<]?\s*(?:\.{3,}|…+|⋮|\.(?: \.){2,})\s*[\])）】>]?;?")
_COMMENT = re.compile(r"(?:\{?/\*+|//+|\{#+|<!--+|<%#+|\(\*+(?= )|#+|--+|;+|%+)[!\s]*")
_COMMENT_END = re.compile(r"\s*(?:\*+/\}?|--+>|\*\)|#+\}?|%>)$")
# In a document of prose these are a headline, a rule or text, and what is set off is as good as a comment.
_MARKUP_COMMENT = re.compile(r"<!--+\s*|\{/\*+\s*")
_SET_OFF = re.compile(
    r"(?P<mark>[*_]{0,3})(?:[\[(（【<].*[\])）】>][.。]?)(?P=mark)|(?P<lone>[*_]{1,3})[^\s*_].*(?P=lone)"
)
# A body that is nothing but a placeholder: ``pass  # unchanged``, ``load() { /* existing code */ }``.
_STUB = re.compile(
    r"(?:(?:async )?def .*:\s*)?(?:pass|\.{3}|…|return(?: None|\.{3})?|raise NotImplementedError(?:\(\))?);?\s*(?=#)"
    r"|[^\"'`/]*\{\s*(?=/[*/])"
)
_STUB_END = re.compile(r"\s*\}[;,)]*$")
_BRACED_DOTS = re.compile(r"[^\"'`/#]*\{\s*(?:\.{3}|…)\s*\}[;,]?")
_SPREAD = re.compile(r"\.{3}[\w.$]+(?: as [\w.]+)?[,;]?$")
# Where dots alone may be a parameter, and the line before them says so.
_VARIADIC = {"c", "cpp", "objective-c", "objective-cpp", "cuda-cpp", "lua", "r", "php", "perl", "python", "starlark"}
_STUBS = {"python", "starlark"}
_NO_DOTS = {"", "perl"}
_KNOWN = re.compile(
    r"\b(?:existing|rest|unchanged|same|remain(?:s|ing|der)?|omitted|previous|other|original|as before|untouched"
    r"|no changes?|brevity|and so on|etc|snip(?:ped)?|elided|truncated|as is)\b"
    r"|其余|其餘|其他|其它|剩余|剩餘|剩下|余下|不变|不變|省略|现有|現有|已有|原有|原来|原來|同上|相同|一致|原样|原樣|未改|未变|之前"
    r"|既存|残り|そのまま|変更なし|同様",
    re.IGNORECASE,
)

# The phrases below are text, which `re` compiles when it first meets it, and keeps: that takes 15 ms, too much for a
# start.
_CODE = (
    r"(?:source )?(?:code|file|function|class|method|module|implementation|logic|body|script|component|content"
    r"|config|configuration|document|makefile|template|program|setup)s?"
)
_CORE = r"(?:(?:source )?code|implementation|logic|body|content)s?"
_PARTS = (
    rf"(?:{_CODE}|(?:import|field|propert(?:y|ie)|prop|attribute|member|variable|constant|definition|declaration|type"
    r"|test|test case|route|handler|endpoint|service|job|step|stage|target|rule|recipe|command|entr(?:y|ie)|option"
    r"|setting|key|value|line|statement|element|tag|column|table|row|part|section|paragraph|chapter|style|block"
    r"|item|case|branche?|check|helper|hook|dependenc(?:y|ie)|parameter|argument|getter|setter|constructor"
    r"|resource|container|environment|text|stuff|thing)s?)"
)
_AS_BEFORE = (
    r"(?:(?:as|like) (?:it |they )?(?:is|are|was|were|before|above|previously|usual|it is now)"
    r"|as[- ]is|(?:as )?in (?:the )?(?:original|previous|existing)(?: \w+)?|as (?:the )?original"
    r"|(?:as|to) (?:the )?(?:original|previous|existing)(?: \w+)?)"
)
_STATE = (
    r"(?: (?:is|are|was|were|remains?|stays?|kept|left|goes|continues?|be|should|must|will|can|has|have|been)){0,3}"
    r"(?: (?:exactly|all|completely|entirely|here))?(?: the)? "
    r"(?:unchanged|untouched|unmodified|unaltered|omitted|skipped|elided|truncated|same|identical|intact"
    rf"|not (?:changed|modified|shown|affected)|{_AS_BEFORE})(?: {_AS_BEFORE}| from before)?"
    r"(?: here)?(?: for (?:brevity|clarity))?"
)
_STATE_OR_HERE = rf"(?:{_STATE}|(?: (?:goes|go|is|are|remains?|stays?|continues?))? here)"
# Of a single line, "the value is the same" is an ordinary remark.
_NEW_STATE = r"(?: (?:are|is|remains?|stays?|all|kept|left|were|was)){0,2} (?:unchanged|untouched|unmodified|omitted)"
_DET = r"(?:the |your |my |our |this |that |all |all the |all of the |any |all your )?"
_PHRASE = (
    rf"(?:keep |leave |insert |include |add )?{_DET}(?:"
    rf"(?:rest|remainder) of (?:the |your |this |my |our )?(?:\w+ )?{_CODE}(?:{_STATE_OR_HERE})?"
    rf"|(?:rest|remainder) of (?:the |your |this |my |our )?(?:\w+ ){{0,2}}\w+{_STATE}"
    rf"|(?:existing|remaining) (?:\w+ )?(?:{_CODE}|imports|methods|functions)(?:{_STATE_OR_HERE})?"
    rf"|(?:previous|original|unchanged) {_CORE}(?:{_STATE_OR_HERE})?"
    rf"|unchanged {_PARTS}"
    rf"|(?:rest|remainder|everything else|everything (?:above|below)|(?:all )?others?){_STATE}"
    r"|(?:other|previous|original|remaining|existing|preceding|following|current) "
    rf"(?:\w+[ -]){{0,2}}\w+{_STATE_OR_HERE}"
    rf"|(?:\w+ )?{_CORE}(?: (?:above|below|before|after))?{_STATE}"
    rf"|(?:\w+ )?{_PARTS}(?: (?:above|below|before|after))?{_NEW_STATE}(?: {_AS_BEFORE}| here| for brevity)?"
    rf"|{_CODE} (?:above|below|before this|after this)"
    r"|unchanged|omitted|unmodified|same as before|no changes?(?: (?:here|below|above|from here(?: on)?))?"
    r"|(?:\w+ )?(?:omitted|truncated|elided|shortened|abbreviated|skipped) for (?:brevity|clarity)"
    rf"|same (?!as above){_AS_BEFORE}|same {_CORE}(?: {_AS_BEFORE})?|same (?:as|like) before"
    r"|(?:everything else|everything|all else) (?:unchanged|same|as before)"
    rf"|(?:and )?(?:continues?|continued|continuing|goes on|proceed) (?:{_AS_BEFORE}|unchanged)"
    rf"|continues? with (?:the )?(?:rest|existing|original|remaining)(?: of the| of your)?(?: {_PARTS})?"
    rf"|as before|as in (?:the )?original(?: {_CODE})?|snip(?:ped)?|<snip>"
    r")"
)
# "existing handlers" may be an ordinary headline; between dots it is not.
_PHRASE_WITH_DOTS = (
    rf"{_DET}(?:(?:other|more|additional|further|remaining|existing|previous|original|rest of(?: the| your)?|your"
    rf"|some|same) )*(?:\w+ )?{_PARTS}(?: (?:here|goes here|go here|above|below|continues?|etc))*"
    r"|continue[sd]?|etc|and so on|more|snip"
)
_NOUN_ZH = (
    r"(?:源?代码|程式碼|代碼|程序|部分|部份|内容|內容|函数|函數|方法|逻辑|邏輯|实现|實現|字段|欄位|属性|屬性|配置|設定|设置|服务|服務"
    r"|步骤|步驟|任务|任務|规则|規則|目标|文件|文档|文檔|章节|章節|段落|类|類|模块|模組|组件|元件|导入|變量|变量|样式|測試|测试|条目|行|项)"
)
_WHICH_ZH = (
    r"(?:其余|其餘|其他|其它|剩余|剩餘|剩下|余下|餘下|现有|現有|已有|原有|原来|原來|原先|原始|原|之前|此前"
    r"|以下|以上|后面|後面|后续|後續|下面|上面|前面|之后|中间|中間|此处|此處|这里|這裡|上述|全部|所有)"
)
_STATE_ZH = (
    r"(?:(?:保持|维持|維持)?(?:不变|不變|原样|原樣|原状)|省略(?:不写)?|略去?|未(?:作|做)?(?:任何)?(?:改动|修改|变|变化|变动|改|動)"
    r"|(?:没有|沒有|无|無)(?:需|须)?(?:任何)?(?:改动|修改|变化|变动|更改)|不(?:需要?|用|做|作)(?:任何)?(?:改动|修改|变动)"
    r"|相同|一致|一样|一樣|同上|不再(?:赘述|重复)|如(?:前|上|旧)|照旧|照舊)"
)
_LINK_ZH = r"(?:的|都|均|也|则|皆|全部|已经?|与|與|和|同|跟|如|在|为了?简洁|处|，|,| )"
_PHRASE_ZH = (
    rf"(?:{_WHICH_ZH}|{_NOUN_ZH}|{_LINK_ZH})*{_STATE_ZH}"
    rf"|{_LINK_ZH}*(?:保留|此处为?|这里是?|同)?(?:{_WHICH_ZH}{_LINK_ZH}*)+"
    r"(?:源?代码|程式碼|代碼|部分|部份|内容|內容|函数|方法|逻辑|实现|實現)(?:在?(?:此|这里|此处))?"
    r"|(?:(?:既存|残り|以下|以降|元|他)の?)?(?:の)?(?:コード|処理|実装|部分|内容|メソッド|関数)?(?:は|を)?"
    r"(?:変更なし|変更ありません|そのまま|同様|同じ|省略)(?:です)?|(?:既存|残り|元)の(?:コード|処理|実装|部分)"
)


def left_out(code: str, replaced: str, language: str = "") -> str | None:
    """Return the first line of ``code`` that stands for code left out, such as ``# ... rest unchanged``.

    A line that stands in ``replaced`` is the user's own.
    """
    own = {line.strip() for line in split_lines(replaced)}
    before = ""
    for line in split_lines(code):
        said = line.strip()
        if said and said not in own and stands_for_code(line, language, before):
            return said
        before = said or before
    return None


def stands_for_code(line: str, language: str = "", before: str = "") -> bool:
    """Whether the line stands for code left out.

    ``before`` is the last line above it that is not blank, without its indentation, where there is any.
    """
    language = language_of(language)
    if language == "yaml" and line.rstrip() == "...":
        return False  # the end of a document
    line = line.strip()
    is_text = is_markup(language)
    if _DOTS.fullmatch(line):
        return _are_dots_no_code(line, language, before)
    if not is_text and language not in _STUBS and _BRACED_DOTS.fullmatch(line):
        return True
    stub = None if is_text else _STUB.match(line)
    if stub is not None:
        line = _STUB_END.sub("", line[stub.end() :]) if "{" in stub.group() else line[stub.end() :]
    comment = (_MARKUP_COMMENT if is_text else _COMMENT).match(line)
    is_remark = comment is not None or (is_text and _SET_OFF.fullmatch(line) is not None)
    said = _COMMENT_END.sub("", line[comment.end() :] if comment else line)
    said = said.strip("()[]<>（）【】{}*_-=~ \t" if is_remark else "()[]<>（）【】 \t")
    if comment is not None and said and _DOTS.fullmatch(said.strip("\"'`")):
        return True
    if _ELLIPSIS.match(said) and (is_remark or not _SPREAD.match(line)) and _KNOWN.search(said):
        return True
    return is_remark and _is_known(said)


def _is_known(said: str) -> bool:
    phrase = " ".join(_ELLIPSIS.sub(" ", said).replace("’", "'").strip(" \t.,:;!。，：；()[]（）*_").lower().split())
    if re.fullmatch(_PHRASE, phrase) or re.fullmatch(_PHRASE_ZH, phrase.replace("(", "").replace("（", "")):
        return True
    has_dots = phrase != said.strip().lower() and _ELLIPSIS.match(said) is not None
    return has_dots and re.fullmatch(_PHRASE_WITH_DOTS, phrase) is not None


def _are_dots_no_code(line: str, language: str, before: str) -> bool:
    """Whether a line of dots alone is none of the code: no stub's body, no parameter, and no prompt of a session."""
    if language in _NO_DOTS or (language in _VARIADIC and before.endswith((",", "("))):
        return False
    if language not in _STUBS:
        return True
    is_bare = line in ("...", "…")
    is_body = not before or before.endswith((":", '"""', "'''", "[", "\\")) or before.startswith(("#", ">>>", "..."))
    return is_bare and not is_body
