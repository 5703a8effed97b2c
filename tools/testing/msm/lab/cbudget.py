# SPDX-License-Identifier: GPL-2.0-only
"""Sizes of C functions: body lines and nesting, from tokens, without a compiler.

A body's size is the number of lines between its braces, less the lines of
initialiser tables in it. Nesting counts control statements and their blocks;
an "else if" is as deep as its "if", and a macro that is followed by a statement
(list_for_each_entry, scoped_guard, igt_subtest, ...) counts as a loop. Of #if alternatives only the
first is read.
"""

import re
from dataclasses import dataclass

TOKEN = re.compile(r"""
    (?P<skip>/\*.*?\*/|//[^\n]*|\s+|\\\n)
  | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<word>[A-Za-z_]\w*|\.?\d[\w.]*)
  | (?P<mark>.)
""", re.X | re.S)
CONDITIONAL = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b")
ATTRIBUTES = ("__attribute__", "__printf", "__aligned", "__section")
OPENING, CLOSING = "({[", ")}]"


@dataclass(frozen=True)
class Function:
    name: str
    line: int
    lines: int
    nesting: int


def functions(text):
    """The functions of a C file, in order."""
    return list(_Parser(_tokens(_without_directives(text))).top_level())


def _without_directives(text):
    """Blank out preprocessor lines and all but the first branch of conditionals."""
    kept, hidden, continued = [], [], False
    for line in text.split("\n"):
        directive = continued or line.lstrip().startswith("#")
        if not continued and (match := CONDITIONAL.match(line)):
            _branch(match[1], hidden)
        continued = directive and line.endswith("\\")
        kept.append("" if directive or any(hidden) else line)
    return "\n".join(kept)


def _branch(word, hidden):
    if word.startswith("if"):
        hidden.append(False)
    elif word == "endif":
        if hidden:
            hidden.pop()
    elif hidden:
        hidden[-1] = True


def _tokens(text):
    found, line = [], 1
    for match in TOKEN.finditer(text):
        if match.lastgroup == "text":
            found.append(('""', line))
        elif match.lastgroup != "skip":
            found.append((match[0], line))
        line += match[0].count("\n")
    return found


class _Parser:
    """Recursive descent over statements; knows just enough C to see blocks."""

    def __init__(self, tokens):
        self.tokens, self.at = tokens, 0
        self.deepest, self.table_lines = 0, 0

    def peek(self, ahead=0):
        index = self.at + ahead
        return self.tokens[index][0] if index < len(self.tokens) else ""

    def line(self):
        return self.tokens[min(self.at, len(self.tokens) - 1)][1]

    def skip_group(self):
        """Step over a balanced group; the current token opens it."""
        depth = 0
        while self.at < len(self.tokens):
            token = self.peek()
            depth += (token in OPENING) - (token in CLOSING)
            self.at += 1
            if not depth:
                return

    def top_level(self):
        start = 0
        while self.at < len(self.tokens):
            token = self.peek()
            if token == "{" and self.at and self.tokens[self.at - 1][0] in _before_body(self.tokens[start:self.at]):
                yield self._function(self._name(start))
                start = self.at
            elif token in OPENING:
                self.skip_group()
            else:
                self.at += 1
                start = self.at if token in (";", "}") else start

    def _name(self, start):
        """The token before the parameters: the first one that follows a type."""
        called = [index for index in range(start, self.at - 1)
                  if self.tokens[index + 1][0] == "(" and self.tokens[index][0] not in ATTRIBUTES]
        typed = [index for index in called if index > start and self.tokens[index - 1][0] != ")"]
        return self.tokens[(typed or called or [start])[0]]

    def _function(self, name):
        opened = self.line()
        self.deepest = self.table_lines = 0
        self._block(0)
        closed = self.tokens[self.at - 1][1]
        size = max(closed - opened - 1, 0) - self.table_lines
        return Function(name[0], name[1], size, self.deepest)

    def _block(self, depth):
        self.at += 1
        while self.at < len(self.tokens) and self.peek() != "}":
            self._statement(depth)
        self.at += 1

    def _statement(self, depth):
        token = self.peek()
        if token == "{":
            self._nested(depth)
        elif token == "do":
            self.at += 1
            self._nested(depth)
            self._simple()
        elif token == "if":
            self._if(depth)
        elif re.match(r"[A-Za-z_]", token) and self.peek(1) == "(" and self._is_loop():
            self.at += 1
            self.skip_group()
            self._nested(depth)
        elif re.match(r"[A-Za-z_]", token) and self.peek(1) == "{":
            self.at += 1
            self._nested(depth)
        elif token in ("case", "default") or self.peek(1) == ":":
            self._label()
        else:
            self._simple()

    def _nested(self, depth):
        """The statement or block that a control statement governs."""
        self.deepest = max(self.deepest, depth + 1)
        if self.peek() == "{":
            self._block(depth + 1)
        else:
            self._statement(depth + 1)

    def _if(self, depth):
        self.at += 1
        self.skip_group()
        self._nested(depth)
        if self.peek() == "else":
            self.at += 1
            if self.peek() == "if":
                self._if(depth)
            else:
                self._nested(depth)

    def _is_loop(self):
        """NAME ( ... ) and then a statement: for, while, switch, or a macro like them."""
        if self.peek() in ("for", "while", "switch"):
            return True
        saved = self.at
        self.at += 1
        self.skip_group()
        after = self.peek()
        self.at = saved
        return after == "{" or bool(re.match(r"[A-Za-z_]", after))

    def _label(self):
        while self.at < len(self.tokens) and self.peek() != ":":
            self.at += 1
        self.at += 1

    def _simple(self):
        """Everything up to the semicolon; lines of an initialiser are counted as table."""
        while self.at < len(self.tokens) and self.peek() != ";":
            token, first = self.peek(), self.line()
            if token == "}":
                return
            if token in OPENING:
                self.skip_group()
                if token == "{":
                    self.table_lines += self.tokens[self.at - 1][1] - first
            else:
                self.at += 1
        self.at += 1


def _before_body(declaration):
    """What may stand before the brace of a function body: nothing if this is no function."""
    words = [token for token, _ in declaration]
    if len(words) == 1 and words[0].isidentifier():
        return tuple(words)
    if "=" in words or "(" not in words:
        return ()
    return (")", words[-1]) if words[0] not in ("struct", "union", "enum") or words[-1] == ")" else (")",)


def percentile(sizes, percent):
    """Nearest rank; 0 of nothing."""
    ordered = sorted(sizes)
    return ordered[max(-(-len(ordered) * percent // 100) - 1, 0)] if ordered else 0
