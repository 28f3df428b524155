"""Texts that a user should not be able to do harm with, and texts that are valid: generators with a seed.

`hostile(random)` draws one text out of ten kinds; `valid(random)` one of the grammar, with a number of leaves.
"""

from __future__ import annotations

from random import Random

PAYLOAD = "{canary}"  # the file that must not come to be

INJECTIONS = [
    "__import__('os').system('touch {canary}')",
    "open('{canary}','w')",
    "exec(\"open('{canary}','w')\")",
    'eval(\'open("{canary}","w")\')',
    "[].__class__.__base__.__subclasses__()",
    "().__class__.__mro__[1].__subclasses__()",
    "x.__class__.__init__.__globals__['__builtins__']['open']('{canary}','w')",
    "x.func.__globals__",
    "lambda: open('{canary}','w')",
    'f\'{{open("{canary}","w")}}\'',
    'S(\'open("{canary}","w")\')',
    'sympify(\'open("{canary}","w")\')',
    "Symbol('x').subs",
    "getattr(x, 'subs')",
    "globals()",
    "import os; os.system('touch {canary}')",
    "os.system('touch {canary}')",
    "$(touch {canary})",
    "`touch {canary}`",
    "; touch {canary} ;",
    "| touch {canary}",
    "{{open('{canary}','w'), x<0; 1}}",
    "where(open('{canary}','w')<0, x, 1)",
    "diff(open('{canary}','w'))",
    "swish(beta=open('{canary}','w'))",
    "hard_gate(__class__=1)",
    "(x:=open('{canary}','w'))",
    "x if open('{canary}','w') else 1",
    "[open('{canary}','w') for x in (1,)]",
    "\\write18{{touch {canary}}}",
    "\\frac{{e^x \\omega}}{{\\delta^2}}",
    "\\input{{{canary}}}",
]
LOOKALIKES = str.maketrans(
    {"x": "хｘ×", "e": "еｅ", "a": "аα", "p": "р", "o": "о0", "*": "∗×", "-": "−–", "1": "１¹", "(": "（"}
)
CONTROLS = ["\0", "\x1b[31m", "\r", "\x7f", "\u202e", "\u200b", "\ufeff", "\u00a0", "\ud800", "\U0001f600", "\n", "\t"]
LEAVES = ["x", "x", "x", "x", "1", "2", "3", "0.5", "1.25", "-1", "pi", "0"]
HUGE = ["1e300", "1e-300", "1e400", "9" * 200, "1e28", "10**10", "2**100", "0." + "0" * 50 + "1", "1e401", "1" * 201]
UNARY = ["exp", "log", "sqrt", "abs", "tanh", "sigmoid", "softplus", "erf", "atan", "sin", "cos", "relu", "step", "Phi"]
NAMES = ["mish", "silu", "gelu", "relu6", "hard_swish", "elu", "swish(beta=2)", "hard_gate(a=5,b=3)", "softsign"]
SOUP = (
    "x 1 0 2.5 1e3 pi E a b ( ) ( ) + - * / ** ^ , ; { } < <= > >= = . _ True mish relu( clip( exp( log( sqrt( max( "
    "min( abs( step( where( Piecewise(( diff( lerp( squareplus( swish(beta= hard_gate(a=5,b=3 mish( sign( 1e300 1e-9 "
    "x<0 10**10**10 )**100 \0 é ' \" \\ @ # ! % & | ~ [ ] : . .. == != -> None lambda __x__"
)
NESTS = [
    ("(", ")"), ("exp(", ")"), ("sqrt(", ")"), ("-", ""), ("{", "}"), ("mish(", ")"), ("diff(", ")"), ("relu(1-", ")"),
    ("max(x**2,", ")"), ("abs(x-", ")"), ("where(x<0,1,", ")"), ("clip(", ",-1,1)"), ("1/(1+", ")"), ("x**(", ")"),
    ("log(2+", ")"), ("sin(", ")"), ("softplus(", ")"), ("x*(1+", ")"), ("(2*", ")**100"), ("(x+1+", ")**100"),
    ("(", ")**(1/3)"), ("lerp(x,", ",0.3)"), ("step(x-", ")"), ("gelu(", ")"), ("squareplus(", ",2)"), ("2**(", ")"),
    ("sign(x-", ")"), ("max(x,1-", ")"),
]  # fmt: skip


def hostile(random: Random) -> str:
    """One text; most are refused, some are valid. Deep ones take longest to read and are drawn less often."""
    (kind,) = random.choices(KINDS, weights=[1 if kind is _deep else 4 for kind in KINDS])
    return kind(random)


def valid(random: Random, leaves: int = 4) -> str:
    """A text of the grammar with about so many leaves; it may still be refused for what it means, as log(-1)."""
    if leaves <= 1:
        return random.choice(LEAVES)
    split = random.randint(1, leaves - 1)
    shape = random.randrange(10)
    if shape < 3:
        return f"{random.choice(UNARY)}({valid(random, leaves - 1)})"
    one, other = valid(random, split), valid(random, leaves - split)
    if shape < 7:
        return f"({one}){random.choice('+-*/**+')}({other})"
    return random.choice(
        [
            f"max({one}, {other})",
            f"min({one}, {other})",
            f"clip({one}, -{random.randint(0, 3)}, {random.randint(1, 4)})",
            f"({one})**{random.choice(['2', '3', '-1', '-2', '0.5', '(1/3)'])}",
            f"{{{one}, x < {random.randint(-3, 3)}; {other}}}",
            f"where(x > {random.randint(-2, 2)}, {one}, {other})",
            f"diff({one}) + {other}",
            f"lerp({one}, {other}, 1/3)",
            f"{random.choice(NAMES)} - {one}",
            f"mish({one})*{other}",
        ]
    )


def _legal(random: Random) -> str:
    return valid(random, random.randint(1, 12))


def _injection(random: Random) -> str:
    text = random.choice(INJECTIONS)
    around = random.choice(["{}", "x + {}", "exp({})", "{} + x", "({})", "{{{}, x<0; 1}}", "max(x, {})", "{}*{}"])
    return around.replace("{}", text)


def _disguised(random: Random) -> str:
    text = valid(random, random.randint(1, 6))
    at = random.randrange(len(text))
    choices = LOOKALIKES.get(ord(text[at]), "х")
    return text[:at] + random.choice(str(choices)) + text[at + 1 :]


def _deep(random: Random) -> str:
    n = random.choice([5, 15, 30, 59, 60, 61, 300, 3000])
    opening, closing = random.choice(NESTS)
    return opening * n + random.choice(LEAVES) + closing * n


def _powers(random: Random) -> str:
    bases = [
        "x",
        "2",
        "10",
        "(x+1)",
        "exp(x)",
        "log(2)",
        "E",
        "1.5",
        "(2*x)",
        "sqrt(2)",
        "(1+sqrt(2))",
        "exp(100)",
        "pi",
    ]
    exponents = [
        "10",
        "100",
        "(1/3)",
        "0.1",
        "x",
        "(-100)",
        "10**10",
        "1e9",
        "log(3)",
        "(1e60*log(2))",
        "(x/7)",
        "1e-60",
    ]
    text = random.choice(bases)
    for _ in range(random.randint(1, 5)):
        text = f"({text})**{random.choice(exponents)}" if random.random() < 0.7 else f"{random.choice(bases)}**{text}"
    if random.random() < 0.4:
        text = f"{random.choice(UNARY)}({random.choice(HUGE)}*{text})"
    return text


def _soup(random: Random) -> str:
    return "".join(random.choices(SOUP.split(), k=random.randint(1, 25)))


def _long(random: Random) -> str:
    piece = random.choice(
        ["x+", "x*", "x-", "mish+", "exp(x)*", "2/", "(x+1)*", "x**2+", "x,", "1", "(", "sin(3*x)+", "x<", "é"]
    )
    return piece * random.choice([10, 100, 300, 3000, 20000]) + "x"


def _mutated(random: Random) -> str:
    text = list(valid(random, random.randint(2, 8)))
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(text))
        change = random.randrange(4)
        if change == 0 and len(text) > 1:
            del text[at]
        elif change == 1:
            text.insert(at, random.choice("x1()*/+-,;{}<>=.^ \0é'\"\\"))
        elif change == 2:
            text[at] = random.choice("x1()*/+-,;{}<>=.^")
        else:
            text[at:at] = text[at : at + random.randint(1, 6)]
    return "".join(text)


def _bytes(random: Random) -> str:
    if random.random() < 0.5:
        text = valid(random, 3)
        at = random.randint(0, len(text))
        return text[:at] + random.choice(CONTROLS) + text[at:]
    return "".join(
        chr(random.choice([random.randrange(128), random.randrange(0x3000)])) for _ in range(random.randint(0, 40))
    )


def _huge_numbers(random: Random) -> str:
    return random.choice(
        ["exp({a}*x)", "sin({a})*x", "{a}*{b}", "{a}/{b}+x", "x**{a}", "{a}**{b}", "max({a}, x*{b})", "abs({a}-{b})",
         "relu(x-{a})", "clip(x, -{a}, {b})", "exp(exp({b}))", "tanh({a}*x)-tanh({b}*x)", "({a}+x)**100", "sqrt({a})",
         "({a}*{b})**(1/7)", "log({a})**{b}", "step(x-{a})*2**x", "2**({a}*x)", "{{x, x<{a}; {b}, x>={a}}}", "erf({a})",
         "swish(beta={a})", "hard_gate(a={a}, b={b})", "elu(-{a}*log(2))", "sin(exp({b}))", "max(sin({a}), cos({b}))"]
    ).format(a=random.choice(HUGE), b=random.choice(HUGE))  # fmt: skip


KINDS = (_injection, _disguised, _deep, _powers, _soup, _long, _mutated, _bytes, _huge_numbers, _legal)
