"""How well the rules of a model tell leads apart, measured on what became of MQLs.

``population`` says who is compared, ``lines`` which rules applied to whom at the moment that
counts, ``candidates`` which acts and attributes no rule looks at, ``results`` what follows. All
read the temporary tables of one transaction; ``scoring.services.measuring`` runs them.
"""
