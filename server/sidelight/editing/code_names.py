"""Code that defines something: each definition goes in place of the one of its name, or beside its neighbour.

The same name in another class is another definition. What is not surely the same is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sidelight.editing.code_guard import unpaired
from sidelight.editing.code_search import Change, Search, Unclear
from sidelight.editing.definitions import Definition
from sidelight.editing.gate import is_syntax_worse

_IMPORT = re.compile(r"\s*(?:import|from|use|using|include|require|package)\b|\s*#\s*include\b")
_COMMENT = re.compile(r"\s*(?:#(?!(?:include|define|undef|if|ifdef|ifndef|el|endif|pragma|error)\b)|//|/\*|\*|--)")
# In these a function without a keyword need not be in a class; in these one name may stand for several functions.
_FREE_FUNCTIONS = {"c", "cpp", "dart"}
_OVERLOADING = {"java", "cpp", "csharp", "kotlin", "swift", "scala"}
_KEYWORD = re.compile(r"\b(?:def|function|func|fn|fun|sub|proc|const|let|var)\b")


class NamedCode(Search):
    """A search by names."""

    def changes(self) -> list[Change]:
        """Return what the code changes. Raises ``Unclear``."""
        homes = [self._home(one) for one in self.said]
        imports, leads, is_clear = self._between()
        if not any(homes):
            return [*imports, self._inserted(moved=[line.strip() for it in imports for line in it.lines])]
        if not is_clear:
            raise Unclear
        changes: list[Change] = []
        for n, (one, home) in enumerate(zip(self.said, homes, strict=True)):
            if home is not None:
                changes.append(self._replaced(one, home, leads[n]))
                continue
            above = next((other for other in reversed(homes[:n]) if other), None)
            below = next((other for other in homes[n:] if other), None)
            changes.append(self._beside(one, leads[n], above, below))
        return [*imports, *changes]

    def _home(self, one: Definition) -> Definition | None:
        """Return the definition that this one is a new version of: the one of its name in the place's own classes."""
        for inside in [*(around.inside for around in reversed(self.around)), ()]:
            alike = [it for it in self.there if (it.container, it.name, it.kind) == (inside, one.name, one.kind)]
            alike = [it for it in alike if it.receiver == one.receiver and self._may_be_around(it, inside)]
            if alike:
                return self._one_of(alike, one)
        return None

    def _may_be_around(self, one: Definition, inside: tuple[str, ...]) -> bool:
        """Whether it is in that very class: two may have one name."""
        holding = [it for it in self.there if it.encloses(one) and it.inside == inside]
        return not inside or any(it in self.around for it in holding)

    def _one_of(self, alike: Sequence[Definition], one: Definition) -> Definition:
        same = [it for it in self.said if it.key == one.key]
        if len(alike) == len(same) == 1 and self.language not in _OVERLOADING:
            return alike[0]
        if one.kind and len(alike) == 1:
            return alike[0]
        header = "".join(self.new[one.header].split())
        exact = [it for it in alike if "".join(self.old[it.header].split()) == header]
        if len(exact) != 1:
            raise Unclear
        return exact[0]

    def _replaced(self, one: Definition, home: Definition, lead: Sequence[str]) -> Change:
        if self.language != "python":
            for lines in (self.new[one.first : one.end], self.old[home.first : home.end]):
                if is_syntax_worse("", "\n".join(lines), self.language):
                    raise Unclear
        inner = [it for it in self.all_said if one.first <= it.header < one.end]
        self.keys |= {((*home.container, *it.container), *it.key[1:]) for it in inner}
        old, above = self.old[home.header : home.end], self._lead(home)
        lines = self.fitted(self.new[one.first : one.end], old)
        decorators = [] if one.first < one.header else self.old[home.first : home.header]
        comments = self.fitted(lead, old) if lead else []
        kept = above if not lead or unpaired(above, lead) else []
        return Change(home.first - len(above), home.end, [*kept, *comments, *decorators, *lines])

    def _lead(self, home: Definition) -> list[str]:
        """Return the comment lines right above a definition."""
        first = home.first
        while first and _COMMENT.match(self.old[first - 1]):
            first -= 1
        return self.old[first : home.first]

    def _between(self) -> tuple[list[Change], list[list[str]], bool]:
        """Return what stands beside the definitions: new imports, the comments above each; and whether that is all."""
        known = {line.strip() for line in self.old}
        imports, leads, is_clear, at = list[str](), list[list[str]](), True, 0
        for one in [*self.said, None]:
            loose = [line for line in self.new[at : one.first if one else None] if line.strip()]
            loose = [line for line in loose if not (_IMPORT.match(line) and line.strip() in known)]
            at = one.end if one else at
            if not all(map(_COMMENT.match, loose)) and self._stands_there(loose):
                loose = []
            comments = [line for line in loose if _COMMENT.match(line)]
            new = [line for line in loose if _IMPORT.match(line)]
            is_clear &= len(comments) + len(new) == len(loose) and (one is not None or not loose)
            imports += new
            leads.append(comments)
        if not imports or not is_clear:
            return [], leads, is_clear
        return [self._imported(imports)], leads, is_clear

    def _imported(self, lines: Sequence[str]) -> Change:
        """Return the change that puts imports below those which the document begins with."""
        first = min((one.first for one in self.there), default=len(self.old))
        if not any(map(str.strip, self.old[:first])) and self.language == "python":
            return Change(0, 0, [*lines, "", ""])
        there = [n for n, line in enumerate(self.old[:first]) if _IMPORT.match(line) and line == line.lstrip()]
        if not there or self.old[there[-1]].rstrip().endswith(("(", "{", "\\", ",")):
            raise Unclear
        return Change(there[-1] + 1, there[-1] + 1, lines)

    def _stands_there(self, lines: Sequence[str]) -> bool:
        old = [line.strip() for line in self.old if line.strip()]
        said = [line.strip() for line in lines]
        return any(old[n : n + len(said)] == said for n, line in enumerate(old) if line == said[0])

    # New definitions

    def _inserted(self, moved: Sequence[str]) -> Change:
        """Return the change that puts code, all of whose definitions are new, below the place."""
        lines = self._without_known(moved)
        if not self._is_member(self.said[0]):
            end = self._below_place()
            return Change(end, end, [*self._blank(is_outermost=True), *self.fitted(lines, self.old)])
        home = next((one for one in reversed(self.around) if one.kind), None)
        if home is None:
            raise Unclear
        members = [one for one in self.there if one.container == home.inside and home.encloses(one)]
        if not members:
            raise Unclear
        near = next((one for one in members if one in self.around), members[-1])
        fitted = self.fitted(lines, self.old[near.header : near.end])
        return Change(near.end, near.end, ["", *fitted])

    def _without_known(self, moved: Sequence[str]) -> list[str]:
        """Return the code without imports above and statements below that the document has already."""
        first, end = self.said[0].first, self.said[-1].end
        known = {*(line.strip() for line in self.old), *moved}
        above = [line for line in self.new[:first] if not (_IMPORT.match(line) and line.strip() in known)]
        while above and not above[0].strip():
            above.pop(0)
        below = [line for line in self.new[end:] if line.strip()]
        is_known = below and self._stands_there(below)
        if not is_known and any(line.strip() in known for line in below):
            raise Unclear
        return [*above, *(self.new[first:end] if is_known else self.new[first:])]

    def _is_member(self, one: Definition) -> bool:
        if one.receiver.startswith("self") or (self.is_indented and any(it.kind for it in self.around)):
            return True
        has_keyword = one.kind or _KEYWORD.search(self.new[one.header])
        return not has_keyword and self.language not in _FREE_FUNCTIONS

    def _below_place(self) -> int:
        """Return the line below the outermost block around the place, or the document's end."""
        end = at = self.around[0].end if self.around else self.place[1] if self.place else len(self.old)
        while at < len(self.old) and (not self.old[at].strip() or self.old[at][0] in " \t})]"):
            at += 1
            end = at if self.old[at - 1].strip() else end
        while end and not self.old[end - 1].strip():
            end -= 1
        return end

    def _blank(self, *, is_outermost: bool) -> list[str]:
        return [""] * (2 if self.language == "python" and is_outermost else 1)

    def _beside(
        self, one: Definition, lead: Sequence[str], above: Definition | None, below: Definition | None
    ) -> Change:
        """Return the change that puts a new definition next to the one that the code has it next to."""
        near = above or below
        assert near is not None
        code = self.fitted([*lead, *self.new[one.first : one.end]], self.old[near.header : near.end])
        blank = self._blank(is_outermost=not near.container)
        if above:
            return Change(above.end, above.end, [*blank, *code])
        first = near.first - len(self._lead(near))
        return Change(first, first, [*code, *blank])
