"""How facts are written, checked, compiled and frozen; needs the extra `authoring`, never used at run time."""
