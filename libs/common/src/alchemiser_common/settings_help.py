"""The help of settings: the docstring below each field, read from the source when somebody asks for it.

pydantic can keep these texts in the models, but then every start of every function reads and parses the source.
"""

import ast
import inspect
from itertools import pairwise

from pydantic import BaseModel


def field_help(section: type[BaseModel]) -> dict[str, str]:
    """Help by field name; a field without a docstring is left out."""
    found = {}
    (definition,) = ast.parse(inspect.getsource(section)).body
    if isinstance(definition, ast.ClassDef):
        for statement, after in pairwise(definition.body):
            match statement, after:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = inspect.cleandoc(text)
    return found
