"""Shell completion: what a shell may offer for each argument, without importing what is slow.

Commands and options are click's own to complete. One table says what stands for the values: functions and families are
those of the catalogue, or a file; shapes, formats and norms are words.
"""

from __future__ import annotations

from collections.abc import Callable

import click
from click.shell_completion import CompletionItem, get_completion_class

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_ACTAPPROX_COMPLETE"  # by which click knows that a shell asks

SHAPES = ("pwl", "pwq", "pwq:c0", "gate:3", "rational:3,3", "table:5", "table:int8")
FORMATS = ("1/8", "dyadic:5", "fixed:4.12", "integer", "float16", "bfloat16", "float32")
NORMS = ("sup", "l2", "gaussian", "grid", "samples")
KNOTS = ("free", "uniform", "dyadic", "float")


class Words(click.types.StringParamType):
    """A text of which some values are known by name; where none fits, a file may be meant."""

    def __init__(self, words: Callable[[], list[CompletionItem]]) -> None:
        self._words = words

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found = [item for item in self._words() if item.value.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]


def _functions() -> list[CompletionItem]:
    from analysis.activation.catalogue import ENTRIES, MEMBERS

    plain = [CompletionItem(name, help=entry.formula) for name, entry in ENTRIES.items() if not entry.is_family]
    return [*plain, *(CompletionItem(name) for name in MEMBERS)]


def _families() -> list[CompletionItem]:
    from analysis.activation.catalogue import ENTRIES

    return [CompletionItem(name, help=entry.formula) for name, entry in ENTRIES.items() if entry.is_family]


def _these(*words: str) -> Callable[[], list[CompletionItem]]:
    return lambda: [CompletionItem(word) for word in words]


# the name of a parameter, in whichever command it stands -> what it may be
_KNOWN: dict[str, Callable[[], list[CompletionItem]]] = {
    "function": lambda: [*_functions(), *_families()],
    **dict.fromkeys(("left", "right", "target", "against"), _functions),
    "family": _families,
    "shape": _these(*SHAPES),
    "round_": _these(*FORMATS),
    "norm": _these(*NORMS),
    "knots": _these(*KNOTS),
}


def complete(group: click.Group) -> None:
    """Gives the parameters of all commands that are plain text what a shell may offer for them."""
    for command in group.commands.values():
        for parameter in command.params:
            if parameter.name in _KNOWN and parameter.type is click.STRING:
                parameter.type = Words(_KNOWN[parameter.name])


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """The completion script for SHELL (bash, zsh or fish), to be read by it when it starts.

    bash: add  eval "$(actapprox completion bash)"  to ~/.bashrc; zsh: the same with zsh, in ~/.zshrc; fish: write it to
    ~/.config/fish/completions/actapprox.fish.

    Example: actapprox completion fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    asked = kind(context.find_root().command, {}, "actapprox", VARIABLE)
    click.echo(asked.source_template % asked.source_vars())
