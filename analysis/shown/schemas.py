"""The JSON schema (draft 2020-12) of what each command answers with --json.

A rigorous value is a pair of decimal strings, rounded outward; an exact value is a string that sympy reads, or null. A
command that finds no answer gives {"verdict": "UNDECIDED", "reason": ...} instead, which every schema admits; `design`
gives REFUTED with a reason where a tolerance cannot be kept.
"""

from __future__ import annotations

from analysis.activation.errors import BadInput

Schema = dict

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TRUTH: Schema = {"type": "boolean"}
DECIMAL: Schema = {"type": "string", "pattern": r"^-?(inf|[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?)$"}
VERDICT: Schema = {"enum": ["PROVED", "REFUTED", "UNDECIDED"]}


def _object(fields: dict[str, Schema], **optional: Schema) -> Schema:
    """An object with just these keys; those of `optional` may be missing."""
    return {
        "type": "object",
        "properties": fields | optional,
        "required": list(fields),
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _pair(ends: Schema) -> Schema:
    return {"type": "array", "items": ends, "minItems": 2, "maxItems": 2}


PAIR = _pair(DECIMAL)
DOMAIN = _pair(TEXT)  # ends are exact: "-inf", "sqrt(2)", "8"
PLACE = _object({"exact": _or_null(TEXT), "enclosure": _or_null(PAIR)})
EXTREMUM = _object({"x": PLACE, "value": PLACE}, **{"if": TEXT})
CONSTANTS = _map(_or_null(TEXT))
SMOOTHNESS: Schema = {"anyOf": [{"type": "integer", "minimum": -1}, {"const": "oo"}, {"type": "null"}]}
OPTIMUM = _object({"verdict": VERDICT, "lower": _or_null(DECIMAL), "gap": _or_null(NUMBER), "reason": TEXT})
COST = _object(dict.fromkeys(("mul", "add", "minmax", "compare", "table_bytes"), COUNT))
MEMBER = _object({"name": TEXT, "constants": _map(TEXT)})

LIST = _object(
    {
        "functions": _list(
            _object({"name": TEXT, "formula": TEXT, "constants": CONSTANTS, "sources": _list(TEXT)}, family=TEXT)
        ),
        "families": _list(
            _object(
                {
                    "name": TEXT,
                    "formula": TEXT,
                    "constants": CONSTANTS,
                    "members": _list(MEMBER),
                    "sources": _list(TEXT),
                }
            )
        ),
    }
)

SHOW = _object(
    {
        "name": TEXT,
        "formula": TEXT,
        "latex": TEXT,
        "constants": CONSTANTS,
        "derivative": TEXT,
        "smoothness": SMOOTHNESS,
        "breakpoints": _list(_object({"x": TEXT, "smoothness": SMOOTHNESS, "jumps": _map(TEXT)})),
        "minima": _list(EXTREMUM),
        "maxima": _list(EXTREMUM),
        "inflections": _list(EXTREMUM),
        "complete": _object({"extrema": TRUTH, "inflections": TRUTH}),
        "range": _or_null(PAIR),
        "lipschitz": _or_null(PAIR),
        "asymptotes": _object(dict.fromkeys(("-oo", "oo"), _or_null(_object({"slope": TEXT, "intercept": TEXT})))),
        "sources": _list(TEXT),
    },
    against=_list(
        _object(
            {
                "name": TEXT,
                "family": _or_null(TEXT),
                "constants": _map(TEXT),
                "same": VERDICT,
                "distance": _map(PAIR),
            }
        )
    ),
)

COMPARE = _object(
    {
        "left": TEXT,
        "right": TEXT,
        "norm": TEXT,
        "domain": DOMAIN,
        "setting": TEXT,
        "derivative": COUNT,
        "distance": PAIR,
        "witness": _or_null(
            _object({"x": TEXT, "left": _or_null(PAIR), "right": _or_null(PAIR)}, side={"enum": ["left", "right"]})
        ),
        "verdict": VERDICT,
        "reason": TEXT,
        "seconds": NUMBER,
    }
)

PROVE = _object(
    {
        "left": TEXT,
        "right": TEXT,
        "verdict": VERDICT,
        "witness": _or_null(_object({"x": TEXT, "left": PAIR, "right": PAIR}, constants=_map(TEXT))),
        "method": TEXT,
    }
)

CLAIMS = _object(
    {
        "claims": _list(
            _object(
                {
                    "id": TEXT,
                    "source": TEXT,
                    "statement": TEXT,
                    "reading": TEXT,
                    "verdict": {"enum": ["PROVED", "REFUTED", "UNDECIDED", "MEASURED"]},
                    "recorded": {"enum": ["PROVED", "REFUTED", "UNDECIDED", "MEASURED"]},
                    "reason": TEXT,
                    "evidence": _list(_object({"what": TEXT, "value": TEXT, "command": _or_null(TEXT)})),
                }
            )
        ),
        "counts": _map(COUNT),
    }
)

FIT = _object(
    {
        "family": TEXT,
        "target": TEXT,
        "norm": TEXT,
        "domain": DOMAIN,
        "setting": TEXT,
        "constants": _map(_or_null(NUMBER)),
        "exact": CONSTANTS,
        "round": _or_null(TEXT),
        "formula": _or_null(TEXT),
        "error": _or_null(PAIR),
        "estimate": _or_null(NUMBER),
        "attained_at": _or_null(DECIMAL),
        "optimum": OPTIMUM,
        "unique": _or_null(TRUTH),
        "optimal_set": _or_null(_map(PAIR)),
        "published": _list(
            _object(
                {
                    "name": TEXT,
                    "constants": _map(NUMBER),
                    "exact": _map(TEXT),
                    "error": _or_null(PAIR),
                    "estimate": _or_null(NUMBER),
                    "ratio": _or_null(NUMBER),
                }
            )
        ),
        "note": TEXT,
        "seconds": NUMBER,
    }
)

REFUSED = _object({"verdict": {"const": "REFUTED"}, "reason": TEXT})

DESIGN = _object(
    {
        "target": TEXT,
        "shape": TEXT,
        "norm": TEXT,
        "domain": DOMAIN,
        "pieces": COUNT,
        "knots": _list(NUMBER),
        "coefficients": _list(_list(NUMBER)),
        "formula": TEXT,
        "round": _or_null(TEXT),
        "error": PAIR,
        "optimum": OPTIMUM,
        "tolerance": _or_null(NUMBER),
        "fewest": _or_null(VERDICT),
        "cost": COST,
        "smoothness": SMOOTHNESS,
        "notes": _list(TEXT),
        "seconds": NUMBER,
    }
)

CODE: Schema = {"type": "integer", "minimum": -128, "maximum": 127}

INT8_TABLE = _object(
    {
        "target": TEXT,
        "shape": {"const": "table:int8"},
        "input_scale": NUMBER,
        "input_zero": CODE,
        "output_scale": NUMBER,
        "output_zero": CODE,
        "table": {"type": "array", "items": CODE, "minItems": 256, "maxItems": 256},
        "error": PAIR,
        "worst_input": CODE,
        "optimum": _object(
            {
                "verdict": VERDICT,
                "lower": _or_null(DECIMAL),
                "gap": _or_null(NUMBER),
                "output_scale": NUMBER,
                "output_zero": CODE,
            }
        ),
        "cost": COST,
        "seconds": NUMBER,
    }
)

FRONTIER = _object(
    {
        "target": TEXT,
        "norm": TEXT,
        "domain": DOMAIN,
        "cost_of_target": COST,
        "candidates": _list(
            _object(
                {
                    "name": TEXT,
                    "kind": TEXT,
                    "formula": TEXT,
                    "error": PAIR,
                    "cost": COST,
                    "operations": COUNT,
                    "optimum": _or_null(VERDICT),
                    "on_frontier": TRUTH,
                }
            )
        ),
        "left_out": _list(TEXT),
        "seconds": NUMBER,
    }
)

OUTCOME: Schema = {"enum": ["answered", "REFUTED", "UNDECIDED", "refused", "failed", "to do"]}

SWEEP = _object(
    {
        "plan": TEXT,
        "tasks": _list(
            _object(
                {
                    "file": TEXT,
                    "asked": TEXT,
                    "command": {"enum": ["fit", "design"]},
                    "target": TEXT,
                    "family": _or_null(TEXT),
                    "shape": _or_null(TEXT),
                    "tolerance": _or_null(TEXT),
                    "round": _or_null(TEXT),
                    "setting": TEXT,
                    "outcome": OUTCOME,
                    "verdict": _or_null(VERDICT),
                    "error": _or_null(PAIR),
                    "lower": _or_null(DECIMAL),
                    "operations": _or_null(COUNT),
                    "table_bytes": _or_null(COUNT),
                    "pieces": _or_null(COUNT),
                    "seconds": _or_null(NUMBER),
                    "reason": _or_null(TEXT),
                }
            )
        ),
        "counts": _map(COUNT),
    }
)

ZONE_FIELDS = {
    "inputs": COUNT,
    "max_ulp": _or_null(NUMBER),
    "worst_input": _or_null(TEXT),
    "mean_ulp": _or_null(NUMBER),
}
ZONE = _object(ZONE_FIELDS)
GIVEN = _object({"gives": TEXT, "expected": _or_null(TEXT), "right": _or_null(TRUTH)})

PRECISION = _object(
    {
        "function": TEXT,
        "derivative": TRUTH,
        "of": TEXT,
        "dtype": {"enum": ["float16", "bfloat16", "float32", "float64"]},
        "exhaustive": TRUTH,
        **ZONE_FIELDS,
        "enclosure": PAIR,
        "failures": COUNT,
        "failed_input": _or_null(TEXT),
        "zones": _object(dict.fromkeys(("normal", "underflow", "near_zero"), ZONE)),
        "special": _object({**dict.fromkeys(("inf", "-inf", "nan", "-0.0"), GIVEN), "subnormals": ZONE}),
        "seconds": NUMBER,
    }
)

SPREAD = _object({"median": NUMBER, "quartiles": _pair(NUMBER)})

BENCH = _object(
    {
        "rounds": COUNT,
        "machine": _object(
            {
                "processor": TEXT,
                "features": _list(TEXT),
                "cores": COUNT,
                "system": TEXT,
                "compiler": _or_null(TEXT),
                "flags": TEXT,
                "python": TEXT,
                "libraries": _map(_or_null(TEXT)),
            }
        ),
        "timings": _list(
            _object(
                {
                    "code": TEXT,
                    "function": TEXT,
                    "work": TEXT,
                    "dtype": {"enum": ["float32", "float64"]},
                    "size": COUNT,
                    "ns": SPREAD,
                    "ratio": SPREAD,
                }
            )
        ),
        "left_out": _list(TEXT),
        "seconds": NUMBER,
    }
)

MEASURED = _object(
    {
        "ulp": NUMBER,
        "worst_input": TEXT,
        "inputs": COUNT,
        "derivative_ulp": _or_null(NUMBER),
        "derivative_worst_input": _or_null(TEXT),
    }
)

EXPORT = _object(
    {
        "language": TEXT,
        "name": TEXT,
        "dtype": TEXT,
        "derivative": TRUTH,
        "variant": TEXT,
        "source": TEXT,
        "certificate": _object(
            {
                "formula": TEXT,
                "target": _or_null(TEXT),
                "norm": _or_null(TEXT),
                "domain": _or_null(DOMAIN),
                "error": _or_null(PAIR),
                "measured": _or_null(MEASURED),
                "notes": {"type": "array", "items": TEXT},
                "command": TEXT,
            }
        ),
    }
)

UNDECIDED = _object({"verdict": {"const": "UNDECIDED"}, "reason": TEXT})

# the answers that each command may give
ANSWERS: dict[str, tuple[Schema, ...]] = {
    "list": (LIST,),
    "show": (SHOW, UNDECIDED),
    "compare": (COMPARE, UNDECIDED),
    "prove": (PROVE, UNDECIDED),
    "claims": (CLAIMS, UNDECIDED),
    "fit": (FIT, UNDECIDED),
    "design": (DESIGN, INT8_TABLE, REFUSED, UNDECIDED),
    "frontier": (FRONTIER, UNDECIDED),
    "export": (EXPORT, UNDECIDED),
    "precision": (PRECISION, UNDECIDED),
    "bench": (BENCH, UNDECIDED),
    "sweep": (SWEEP,),
}


def schema(command: str) -> Schema:
    """The schema of a command's answer; BadInput for a command that has none."""
    if command not in ANSWERS:
        raise BadInput(f"expected a command with --json ({', '.join(ANSWERS)}), got {command!r}")
    first, *others = ANSWERS[command]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"actapprox {command} --json",
        **({"anyOf": [first, *others]} if others else first),
    }
